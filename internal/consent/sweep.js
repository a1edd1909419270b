// Hides the banners that are left on the page: those that the style sheet names, and in the page itself those that look
// and read like one. Nothing is clicked.
css => {
  let sheet = null;
  const visible = e => e.checkVisibility({visibilityProperty: true, opacityProperty: true}) && e.getBoundingClientRect().height > 1;
  // adopt has the style sheet hold from now on. A page without anything that it names does without: it costs a new layout.
  const adopt = () => {
    if (!sheet) {
      sheet = new CSSStyleSheet();
      sheet.replaceSync(css);
      addEventListener('load', adopt); // the page may have set sheets of its own in its place
    }
    if (!document.adoptedStyleSheets.includes(sheet)) document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  };
  // named hides what the style sheet names.
  const named = () => {
    let hidden = 0;
    const all = new CSSStyleSheet();
    all.replaceSync(css);
    for (const layer of all.cssRules) {
      for (const rule of layer.cssRules || []) {
        if (rule.style?.display !== 'none') continue;
        for (const e of document.querySelectorAll(rule.selectorText)) if (visible(e)) hidden++;
      }
    }
    adopt();
    return hidden;
  };

  const SAYS = /\b(cookies?|gdpr|dsgvo|rgpd|lgpd|ccpa|cookie-?richtlinie|einwilligung|consentement|consentimiento|consenso|toestemming|samtycke|samtykke)\b|クッキー|饼干|файл\w* cookie/i;
  const YES = /\b(accept|agree|allow|ok(ay)?|got it|understand|continue|dismiss|close|akzeptier|zustimm|einverstanden|verstanden|schlie|accepter|accepte|d.accord|j.ai compris|aceptar|acepto|entendido|accett|ho capito|aceitar|aceito|concordo|entendi|akkoord|accepteren|toestaan|godk|acceptera|godta|tillad|forst|hyv|zgadzam|akceptuj|rozumiem|souhlas|p.ijmout|elfogad|kabul|anladım)|同意|接受|允许|принять|принимаю|согласен|понятно/i;
  const ASKS = /(we|site|wir|seite|nous|sitio|sito|wij|vi|my|мы|us(e|es|ing)|utilis\w+|verwende\w*|usa\w*|utiliza\w*|gebruik\w*|bruke\w*|använd\w*|bruge\w*|używa\w*|stosuje\w*|использу\w*)\b.{0,80}cookie|cookie.{0,80}(website|experience|consent|preferences|policy|zustimm|einwillig)/is;
  const text = e => (e.innerText || '').trim();
  const buttons = e => [...e.querySelectorAll('button,[role="button"],input[type="button"],input[type="submit"],a[class*="btn" i],a[class*="button" i],a[href="#"],a:not([href])')];
  const banner = (e, longest, words) => {
    const says = text(e);
    return says.length >= 20 && says.length <= longest && SAYS.test(says) && words.test(says) && !e.querySelector('main,article,h1') &&
      buttons(e).some(b => visible(b) && YES.test(text(b) || b.value || b.getAttribute('aria-label') || ''));
  };
  const apart = e => e.matches('dialog[open],[role="dialog"],[role="alertdialog"],[aria-modal="true"]') || ['fixed', 'sticky'].includes(getComputedStyle(e).position);
  // covering is what lies over the page, by looking at some of its places.
  const covering = () => {
    const over = new Set();
    for (const fy of [0.02, 0.15, 0.3, 0.5, 0.7, 0.85, 0.97]) {
      for (const fx of [0.03, 0.25, 0.5, 0.75, 0.97]) {
        for (const top of document.elementsFromPoint(innerWidth * fx, innerHeight * fy)) {
          for (let e = top; e && e !== document.body && e !== document.documentElement; e = e.parentElement) if (apart(e)) over.add(e);
        }
      }
    }
    return over;
  };
  // own hides banners that sites have made themselves. They have one of the words.
  const own = (words, isOver) => {
    const over = isOver ? covering() : new Set(), gone = [];
    const hide = e => { e.style.setProperty('display', 'none', 'important'); gone.push(e); };
    for (const e of over) {
      if (!gone.some(g => g.contains(e)) && visible(e) && banner(e, 3000, SAYS)) hide(e);
    }
    // A banner in the flow of the page is a short piece near its root that says what it asks for.
    const near = new Set();
    for (const t of words) for (let e = t.parentElement; e; e = e.parentElement) if (e.matches('body > *, body > * > *')) near.add(e);
    for (const e of document.querySelectorAll('body > *, body > * > *')) {
      if (near.has(e) && (e.textContent || '').length < 2000 && !gone.some(g => g.contains(e)) && visible(e) && banner(e, 700, ASKS)) hide(e);
    }
    if (gone.length) unlock(isOver ? over : covering());
    return gone.length;
  };
  // unlock takes away what dims the page behind a banner, and what keeps it from scrolling.
  const unlock = over => {
    for (const e of over) {
      const r = e.getBoundingClientRect();
      if (apart(e) && visible(e) && r.width >= innerWidth * 0.9 && r.height >= innerHeight * 0.9 && !text(e) && !e.querySelector('img,picture,video,canvas,iframe,svg')) e.style.setProperty('display', 'none', 'important');
    }
    for (const e of [document.documentElement, document.body]) {
      const s = getComputedStyle(e);
      if (s.overflowY === 'hidden') e.style.setProperty('overflow', 'visible', 'important');
      if (s.position === 'fixed') e.style.setProperty('position', 'static', 'important');
    }
  };
  return {
    adopt,
    // hide hides what was found and returns how many banners it was.
    hide: found => (found.sheet ? named() : 0) + (found.words.length && document.body ? own(found.words, found.over) : 0),
  };
}
