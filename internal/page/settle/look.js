// Says how the page is. Runs in a world of its own beside the page's scripts: they can neither see nor change it.
if (!globalThis.savepage) globalThis.savepage = (() => {
  const drawing = 200; // ms that an answer waits for a page that was watched already to have been drawn
  const sleep = ms => new Promise(done => setTimeout(done, ms));

  // What is still since when. A node that only ever changes its own text or look, or what it holds, is restless: a clock, a
  // carousel, confetti. Whether it comes to an end is another question.
  let last = 0, busy = -1e9, watching = false;
  const changes = new WeakMap();
  const restless = record => {
    const is = changes.get(record.target) || {n: 0, added: 0, removed: 0}, {addedNodes: {length: added}, removedNodes: {length: removed}} = record;
    changes.set(record.target, is);
    if (record.type === 'childList' && added !== removed) {
      is.added += added;
      is.removed += removed;
      return is.removed > 8 && is.added < is.removed * 3;
    }
    const n = ++is.n;
    if (n > 3) busy = performance.now();
    return n > 8;
  };
  // What grows a little at a time, as text does that is written letter by letter, is noted from the fifth step on.
  let grew = -1e9;
  const growth = new WeakMap();
  const size = nodes => [...nodes].reduce((n, node) => n + (node.nodeType === 3 ? node.data.length : 1), 0);
  const grow = ({type, target, oldValue, addedNodes, removedNodes}) => {
    if (type === 'attributes' || addedNodes.length > 50) return;
    const more = type === 'childList' ? size(addedNodes) - size(removedNodes) : target.data.length - oldValue.length;
    const n = more > 0 ? (growth.get(target) || 0) + 1 : 0;
    growth.set(target, n);
    if (n >= 5) grew = performance.now();
  };
  // Until the page has been drawn, what watches for things to come into view has not heard of the last change. A busy machine
  // takes its time to draw.
  let undrawn = null; // kept when it has been
  const draw = (done = () => {}) => {
    const of = last;
    undrawn ||= new Promise(kept => { done = kept; });
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => {
      if (of !== last) return draw(done);
      undrawn = null;
      done();
    })));
  };
  const watch = () => {
    if (watching) return;
    watching = true;
    last = performance.now();
    draw();
    new MutationObserver(records => {
      const before = last;
      for (const record of records) {
        grow(record);
        if (!restless(record)) last = performance.now();
      }
      if (!undrawn && last > before) draw();
    }).observe(document, {
      subtree: true, childList: true, characterData: true, characterDataOldValue: true, attributes: true,
      attributeFilter: ['class', 'style', 'src', 'srcset', 'href', 'hidden', 'open', 'width', 'height', 'd', 'points', 'transform', 'fill', 'viewBox', 'value', 'data-theme'],
    });
  };

  // still is for how many milliseconds the document has not changed, since it is watched; rested is the same, but not long until it
  // has been drawn.
  const still = () => watching ? performance.now() - last : 0;
  const rested = () => undrawn && still() < 2000 ? Math.min(still(), 50) : still();

  const runs = s => !s.type || s.type === 'module' || /javascript|ecmascript/i.test(s.type);
  const scripted = () => [...document.scripts].some(runs) || !!document.querySelector('iframe,frame,object,embed,[onload],meta[http-equiv="refresh" i]');
  const drawn = e => { const r = e.getBoundingClientRect(); return r.width > 0 && r.height > 0 ? r : null; };
  // Large pictures may be decoded after the frame that shows them first.
  const large = i => i.complete && i.naturalWidth * i.naturalHeight > 131072;
  const inView = i => { const r = drawn(i); return r && r.bottom > 0 && r.right > 0 && r.top < innerHeight && r.left < innerWidth; };

  // drawnFirst waits, at most so long, for the page to have been drawn: it asks for lazy pictures and frames in view after that.
  const lazy = () => [...document.images].some(i => i.loading === 'lazy' && !i.complete && inView(i))
    || [...document.querySelectorAll('iframe[loading="lazy" i][src]')].some(f => inside(f)?.URL === 'about:blank' && inView(f));
  const drawnFirst = end => lazy() && Promise.race([new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)))), end]);

  // timers are the milliseconds that are left to the page's short timers, and whether something works where none is seen;
  // later is what later.js says. Without a token nothing notes them.
  const told = token => {
    const said = {timers: null, later: null};
    if (!token) return said;
    addEventListener(token + '!', e => { said.timers = e.detail; }, {once: true});
    addEventListener(token + '+', e => { said.later = e.detail; }, {once: true});
    dispatchEvent(new Event(token));
    return said;
  };
  const refresh = () => document.querySelector('meta[http-equiv="refresh" i]')?.content.slice(0, 8192) || '';

  // Families of fonts that are in use and have not come.
  const coming = () => [...new Set([...document.fonts].filter(f => f.status === 'loading').map(f => f.family.replace(/^["']|["']$/g, '')))].slice(0, 5);

  // alive reports a sign of something that may move: a canvas, a frame that can be seen into, what has just changed several
  // times. What scripts are about to do is told by the timers.
  const frames = () => [...document.querySelectorAll('iframe,frame')];
  const inside = f => { try { return f.contentDocument; } catch { return null; } };
  const alive = () => performance.now() - busy < 500 || !!document.querySelector('canvas') || frames().some(f => inside(f)?.scripts.length);
  // driven reports animations that scripts have made, and that end. They may belong to more that the scripts do by the clock.
  const styled = a => a instanceof CSSAnimation || a instanceof CSSTransition;
  const driven = () => document.getAnimations().some(a => !styled(a) && a.playState === 'running' && a.effect?.getComputedTiming().endTime < Infinity);
  const animated = () => !!document.querySelector('animate,animateTransform,animateMotion,set') || document.getAnimations().length > 0;
  // foreign reports a frame of another origin that can be seen, in the window or, of a whole page, anywhere.
  const foreign = whole => frames().some(f => !inside(f) && (whole ? drawn(f) : inView(f)) && f.checkVisibility({visibilityProperty: true}));

  // loading reports that the page says of itself, in view, that it is not ready: by a role, a text, or a name of what moves.
  const named = /(^|[-_\s])(loading|loader|spinner|skeleton|shimmer|placeholder-(glow|wave))([-_\s]|$)/i;
  const says = /^\s*(loading|please wait|wird geladen|lädt|laden|chargement|cargando|caricamento|carregando|загрузка|加载中|読み込み中)[^\n]{0,12}$/im;
  const endless = a => a.playState === 'running' && a.effect?.getComputedTiming().endTime === Infinity;
  const seen = e => e.checkVisibility({opacityProperty: true, visibilityProperty: true}) && inView(e);
  const busyRoles = '[aria-busy="true"],[role="progressbar"]:not([aria-valuenow]),progress:not([value])';
  const busyNames = ['load', 'spinner', 'skeleton', 'shimmer', 'placeholder-'].map(name => `[class*="${name}" i]`).join();
  const loading = () => [...document.querySelectorAll(busyRoles)].some(seen)
    || [...document.querySelectorAll(busyNames)].slice(0, 200).some(e => named.test(e.getAttribute('class')) && seen(e) && e.getAnimations({subtree: true}).some(endless))
    || says.test((document.body?.innerText || '').slice(0, 5000));

  // plain reports a page on which nothing can move, come or change any more: it has no script and no frame, nothing that plays or waits,
  // no writing place in use, no picture on its way into view, no element with a tree of its own. More of a page than this is not looked at.
  const lively = 'video,audio,canvas,marquee,animate,animateTransform,animateMotion,set,progress,[autofocus],[contenteditable],[aria-busy],[role="progressbar"]';
  const waits = /loading|please wait|geladen|lädt|laden|chargement|cargando|caricamento|carregando|загрузка|加载中|読み込み中/i;
  const come = i => i.complete && !!(i.currentSrc || i.src) || !inView(i);
  const plain = text => {
    const all = document.getElementsByTagName('*'), focus = document.activeElement;
    return document.readyState === 'complete' && document.fonts.status === 'loaded' && !window.length && all.length < 4000 && text.length < 200000
      && (!focus || focus === document.body) && !scripted() && !document.querySelector(lively) && !document.getAnimations().length && !waits.test(text)
      && [...document.images].every(come) && ![...all].some(e => e.shadowRoot);
  };
  // common reports that the text has no letter that a font may lack: see glyphs.js.
  const common = text => /^[\u0000-\u024f\u0370-\u04ff\u2010-\u205e\u20a0-\u20bf\u2122]*$/.test(text);

  return {
    still,
    styled,
    // grew is for how many milliseconds nothing has grown step by step.
    grew: () => performance.now() - grew,
    told,
    timers: token => told(token).timers,
    // look waits for fonts, for large pictures and for what is lazy in view, at most ms, and says how the page is. watched has the document's
    // changes followed from now on, whole says that what is out of view counts.
    look: async (ms, token, watched, whole) => {
      const text = document.body?.textContent || '', bare = !whole && !watching && plain(text);
      if (undrawn) await Promise.race([undrawn, sleep(drawing)]); // it would be asked again until then
      if (watched && !bare) watch();
      const end = sleep(ms);
      if (ms > 0 && !bare) {
        await drawnFirst(end);
        if (document.fonts.status !== 'loaded') await Promise.race([document.fonts.ready, end]);
        const decoding = [...document.images].filter(i => large(i) && inView(i)).map(i => i.decode().catch(() => 0));
        if (decoding.length) await Promise.race([Promise.all(decoding), end]);
      }
      const root = document.scrollingElement || document.documentElement, {timers: said, later: soon} = told(token);
      return {
        still: rested(), scripted: scripted(), fonts: document.fonts.status === 'loaded', coming: coming(),
        title: document.title.slice(0, 2048), url: location.href.slice(0, 16384), ready: document.readyState,
        height: root ? root.scrollHeight : innerHeight, width: root ? root.scrollWidth : innerWidth,
        alive: watching && alive(), animated: animated(), driven: watching && driven(), foreign: foreign(whole), timers: said, loading: !!said?.late.length && loading(),
        later: soon, plain: bare, common: bare && common(text), elements: document.getElementsByTagName('*').length, refresh: refresh(),
      };
    },
  };
})();
