// Runs in every new document, beside the page's scripts. It looks whether there is anything that autoconsent, which is
// large and slow, could know: something that a tool has on its pages, or something over the page with words of a banner.
// It looks when the document has been parsed, when it has changed, and when it is asked; most pages have nothing.
(send, marks, inside, hides, sweep) => {
  if (!location.protocol.startsWith('http') || window.parent !== window.top) return; // in frames of frames no tool shows its banner
  const main = window.top === window;
  const WORDS = /cookie|consen|privacy|gdpr|dsgvo|rgpd|lgpd|ccpa|accept|reject|refuse|access\s+information|personalised\s+ads|partner|partenaire|publicit|stocker|nécessaires|essentielles|zugriff|werbeleistung|auswahl|technologien|ablehnen|akzeptieren|erlauben|einwilligung|zustimmung|afwijzen|weiger|verwerpen|noodzakelijk|akkoord|wijs\s+alles|toestemming|samty|almacena|ciastecz|przetwarzania|urządzeni|galetes|クッキー|饼干/i;
  const AHEAD = 24; // letters of the text before, for words that stand in two pieces of it

  let dirty = true; // the document has changed since it was looked at
  let found = {sheet: false, words: [], over: false}, unseen = false; // what there is; and whether there are words that are not shown
  let suspect = false, told = false, ended = false;
  let last = -Infinity, cost = 0, timer = 0;

  const has = selector => {
    try {
      return selector.startsWith('xpath/') ? document.evaluate(`boolean(${selector.slice(6)})`, document, null, XPathResult.BOOLEAN_TYPE).booleanValue : !!document.querySelector(selector);
    } catch {
      return false;
    }
  };

  // words are the pieces of text that may belong to a banner, and whether any lies over the page.
  const words = () => {
    const apart = new Map(); // by element: whether it or what it is in lies over the page
    const over = e => {
      const way = [];
      let is = false;
      for (; e && e !== document.body && e !== document.documentElement; e = e.parentElement) {
        const known = apart.get(e);
        if (known !== undefined) { is = known; break; }
        way.push(e);
        if (e.matches('dialog[open],[role="dialog"],[role="alertdialog"],[aria-modal="true"]') || /fixed|sticky/.test(getComputedStyle(e).position)) { is = true; break; }
      }
      for (const one of way) apart.set(one, is);
      return is;
    };
    const result = {words: [], over: false};
    const texts = document.createTreeWalker(document.body || document, NodeFilter.SHOW_TEXT);
    for (let t, before = ''; (t = texts.nextNode());) {
      const text = before + t.data, e = t.parentElement;
      const says = WORDS.test(text);
      before = says ? '' : text.slice(-AHEAD);
      if (!says || !e || /^(SCRIPT|STYLE|NOSCRIPT|TEMPLATE)$/i.test(e.tagName)) continue;
      if (!e.checkVisibility()) {
        unseen = true;
        continue;
      }
      result.words.push(t);
      result.over ||= over(e);
    }
    return result;
  };

  // look brings up to date what is known of the document, and says so when it is suspect for the first time. Where words
  // stand, and whether they are shown, may change with a style sheet.
  const look = () => {
    clearTimeout(timer);
    timer = 0;
    if (dirty || unseen || found.words.length) {
      const began = performance.now();
      suspect ||= dirty && (main ? marks : inside).some(has);
      if (dirty) found.sheet = hides.some(has);
      dirty = unseen = false;
      if (main) Object.assign(found, words());
      last = performance.now();
      cost = last - began;
    }
    suspect ||= found.over;
    if (ended && found.sheet) sweep.adopt();
    if (!suspect || told) return;
    told = true;
    send(JSON.stringify({type: 'suspect'}));
  };
  // A page that changes all the time is looked at for a fiftieth of its time.
  const soon = () => {
    dirty = true;
    if (timer || told && !ended) return;
    const wait = Math.max(50, 50 * cost) - (performance.now() - last);
    if (wait <= 0) look(); else timer = setTimeout(look, wait);
  };

  globalThis.savepageBanner = {
    // look reports whether there is anything to hide, now that the page is about to be shown.
    look: () => {
      look();
      const left = found.sheet || found.words.length > 0;
      ended ||= !left && !suspect;
      return left;
    },
    // sweep hides what is left, and what the style sheet names from now on. It returns how much it has hidden.
    sweep: () => {
      look();
      ended = true;
      return sweep.hide(found);
    },
  };
  send(JSON.stringify({type: 'document', url: location.href, main}));
  const begin = () => {
    new MutationObserver(soon).observe(document, {subtree: true, childList: true, characterData: true, attributes: true});
    look();
  };
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', begin); else begin();
}
