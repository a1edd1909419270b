// Says what of a page speaks for something that stands in its place. Runs beside the page's scripts, and changes nothing.
if (!globalThis.savepageWall) globalThis.savepageWall = (() => {
  const maxElements = 3000, maxTexts = 40, grid = 7;
  const attempt = act => { try { return act(); } catch { return null; } };
  const drawn = e => { const r = e.getBoundingClientRect(); return r.width > 1 && r.height > 1 && e.checkVisibility({visibilityProperty: true, opacityProperty: true}); };
  const clean = (text, most) => (text || '').replace(/\s+/g, ' ').trim().slice(0, most);
  const parentOf = e => e.assignedSlot || e.parentElement || e.getRootNode().host || null;
  const within = (e, outer) => {
    for (let n = e; n; n = parentOf(n)) if (n === outer) return true;
    return false;
  };

  // elements are those of the document and of its open shadow trees.
  function* elements(selector, root = document) {
    for (const e of root.querySelectorAll(selector)) yield e;
    for (const e of hosts) if (e.shadowRoot) for (const inner of e.shadowRoot.querySelectorAll(selector)) yield inner;
  }
  let hosts = [];

  const deepest = (x, y) => {
    let e = document.elementFromPoint(x, y);
    while (e?.shadowRoot) {
      const inner = e.shadowRoot.elementFromPoint(x, y);
      if (!inner || inner === e) break;
      e = inner;
    }
    return e;
  };

  const isWritten = e => e.localName === 'textarea' || (e.localName === 'input' &&
    ['', 'text', 'email', 'tel', 'search', 'url', 'number', 'password'].includes((e.getAttribute('type') || '').toLowerCase()));
  const isUser = e => e.type === 'email' || /user|e-?mail|login|account|phone|identifier/i.test([e.name, e.id, e.autocomplete].join(' '));
  const buttonsOf = root => [...root.querySelectorAll('button,[role="button"],a,input[type="submit"],input[type="button"]')].filter(drawn)
    .map(e => clean(e.innerText || e.value || e.getAttribute('aria-label'), 60)).filter(t => t).slice(0, maxTexts);

  // fields counts what can be written into. What a captcha has of its own does not count.
  const fieldsOf = root => {
    const is = {written: 0, passwords: 0, users: 0, areas: 0};
    for (const e of root.querySelectorAll('input,textarea')) {
      if (!isWritten(e) || !drawn(e) || e.disabled || /captcha|turnstile/i.test(e.name + ' ' + e.id)) continue;
      if (e.type === 'search' || e.closest('[role="search"]')) continue;
      is.written++;
      if (e.type === 'password') is.passwords++;
      else if (e.localName === 'textarea') is.areas++;
      else if (isUser(e)) is.users++;
    }
    return is;
  };

  // over is the outermost part of the page that lies over it and that an element is in.
  const over = e => {
    let found = null;
    for (let n = e; n && n !== document.body && n !== document.documentElement; n = parentOf(n)) {
      if (getComputedStyle(n).position === 'fixed' || n.matches(':modal')) found = n;
    }
    return found;
  };

  // cover is what lies over the middle of the window, and over how much of it, with what is under it.
  const cover = () => {
    const middle = deepest(innerWidth / 2, innerHeight / 2), root = middle && over(middle);
    if (!root) return null;
    let points = 0, behind = 0;
    const roots = new Set([root]);
    for (let i = 0; i < grid * grid; i++) {
      const x = innerWidth * (i % grid + 0.5) / grid, y = innerHeight * (Math.floor(i / grid) + 0.5) / grid;
      const own = over(deepest(x, y) || document.body);
      if (!own) continue;
      points++;
      roots.add(own);
      const under = document.elementsFromPoint(x, y).filter(e => e !== document.body && e !== document.documentElement && ![...roots].some(r => within(e, r)));
      if (under.some(e => clean(e.textContent, 1) || e.localName === 'img')) behind++;
    }
    // What a modal dialog lies over, and what is inert, is under nothing that can be asked for.
    if (root.matches(':modal') || [...document.querySelectorAll('[inert]')].some(e => !within(e, root) && clean(e.textContent, 1))) behind = points;
    let panel = middle;
    for (let n = middle; n; n = parentOf(n)) {
      const r = n.getBoundingClientRect();
      if (r.width * r.height >= 0.9 * innerWidth * innerHeight) break;
      panel = n;
      if (n === root) break;
    }
    const inner = panel === middle && panel !== root && clean(panel.innerText, 1) === '' && panel.localName !== 'iframe' ? root : panel;
    const r = inner.getBoundingClientRect(), frame = inner.localName === 'iframe' ? inner : inner.querySelector('iframe');
    const words = frame && [frame.title, frame.id, frame.name, frame.className, attempt(() => frame.src)].join(' ');
    const width = Math.min(r.right, innerWidth) - Math.max(r.left, 0), height = Math.min(r.bottom, innerHeight) - Math.max(r.top, 0);
    return {
      covered: points / (grid * grid), behind: behind / Math.max(points, 1), area: Math.max(0, width) * Math.max(0, height) / (innerWidth * innerHeight),
      text: clean(inner.innerText, 3000), buttons: buttonsOf(inner), frame: clean(words, 500), fields: fieldsOf(inner),
    };
  };

  // sources are what scripts, frames and forms are loaded from or sent to.
  const sources = () => {
    const all = [];
    for (const e of elements('script[src],iframe,form[action]')) {
      const url = attempt(() => e.getAttribute('src') || e.getAttribute('action') || '');
      if (!url || all.length >= 200) continue;
      const absolute = attempt(() => new URL(url, location.href));
      if (!absolute || !/^https?:/.test(absolute.protocol)) continue;
      const r = e.localName === 'iframe' && drawn(e) ? e.getBoundingClientRect() : null;
      all.push({kind: e.localName, url: (absolute.host + absolute.pathname).slice(0, 300), width: r ? r.width : 0, height: r ? r.height : 0});
    }
    return all;
  };

  // tasks are the boxes of widgets that ask for a proof: frames, and what stands around their hidden answers.
  const tasks = () => {
    const found = [];
    for (const e of elements('[name*="captcha" i],[name*="turnstile" i],[id*="captcha" i],[class*="captcha" i],[class*="turnstile" i]')) {
      if (found.length >= 20) break;
      let box = e;
      for (let i = 0; i < 3 && box && !drawn(box); i++) box = parentOf(box);
      if (!box || !drawn(box) || box === document.body || box.localName === 'form') continue;
      const r = box.getBoundingClientRect();
      const hint = clean([e.getAttribute('name'), e.id, e.getAttribute('class')].join(' '), 80);
      // A badge in a corner asks for nothing.
      if (r.width < 60 || r.height < 40 || /badge/i.test(hint) || getComputedStyle(box).position === 'fixed') continue;
      found.push({hint, width: r.width, height: r.height});
    }
    return found;
  };

  // written reports whether so many characters are shown. To ask for the whole text costs more.
  const written = most => {
    const texts = document.createTreeWalker(document.body || document.documentElement, NodeFilter.SHOW_TEXT);
    for (let chars = 0; texts.nextNode();) {
      const {data, parentElement: e} = texts.currentNode;
      if (!data.trim() || !e || /^(script|style|noscript|template|option|textarea)$/.test(e.localName) || !e.checkVisibility({visibilityProperty: true})) continue;
      if ((chars += clean(data, most).length) >= most) return true;
    }
    return false;
  };

  return {
    // facts are what the verdict is made of. A page that is taller than so many windows, or shows as many characters, is no wall.
    facts: (tall, plenty) => {
      const root = document.scrollingElement || document.documentElement, windows = (root?.scrollHeight || 0) / innerHeight, lies = cover();
      if (windows > tall || written(plenty)) return {plenty: true, cover: lies, title: clean(document.title, 300)};
      hosts = [...document.querySelectorAll('*')].slice(0, maxElements).filter(e => e.shadowRoot);
      const body = document.body, selects = [...document.querySelectorAll('select')].reduce((n, e) => n + (e.innerText || '').length, 0);
      let text = body ? clean(body.innerText, 50000) : '';
      for (const e of hosts) for (const inner of e.shadowRoot.children) text += ' ' + clean(inner.innerText, 2000);
      const fields = fieldsOf(document);
      for (const e of hosts) for (const [name, n] of Object.entries(fieldsOf(e.shadowRoot))) fields[name] += n;
      return {
        cover: lies, title: clean(document.title, 300), text: text.slice(0, 3000), chars: Math.max(0, text.length - selects),
        headings: [...elements('h1,h2,[role="heading"]')].filter(drawn).map(e => clean(e.innerText, 120)).filter(t => t).slice(0, 4),
        links: [...elements('a[href]')].filter(drawn).length, buttons: buttonsOf(document), fields, sources: sources(), tasks: tasks(),
        pictures: [...elements('img,canvas,svg')].filter(e => { const r = e.getBoundingClientRect(); return r.width >= 60 && r.height >= 20 && r.width < 600 && drawn(e); }).length,
        windows,
      };
    },
  };
})();
