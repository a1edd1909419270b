// Says how the page is. Runs in a world of its own beside the page's scripts: they can neither see nor change it.
if (!globalThis.savepage) globalThis.savepage = (() => {
  const sleep = ms => new Promise(done => setTimeout(done, ms));

  // What is still since when. A node that only ever changes its own text or look is restless: a clock, a carousel.
  // Nobody waits for it to end.
  let last = 0, moved = 0, watching = false;
  const changes = new WeakMap(), lively = new Map();
  const restless = record => {
    if (record.type === 'childList' && record.addedNodes.length !== record.removedNodes.length) return false;
    const n = (changes.get(record.target) || 0) + 1;
    changes.set(record.target, n);
    if (n > 3 && record.attributeName === 'style') lively.set(record.target, performance.now());
    return n > 8;
  };
  const watch = () => {
    if (watching) return;
    watching = true;
    last = moved = performance.now();
    new MutationObserver(records => {
      let changed = false;
      for (const record of records) if (!restless(record)) changed = true;
      moved = performance.now();
      if (changed) last = moved;
    }).observe(document, {
      subtree: true, childList: true, characterData: true, attributes: true,
      attributeFilter: ['class', 'style', 'src', 'srcset', 'href', 'hidden', 'open', 'width', 'height', 'd', 'points', 'transform', 'fill', 'viewBox', 'value', 'data-theme'],
    });
  };

  // still is for how many milliseconds the document has not changed, since it is watched.
  const still = () => watching ? performance.now() - last : 0;

  const runs = s => !s.type || s.type === 'module' || /javascript|ecmascript/i.test(s.type);
  const scripted = () => [...document.scripts].some(runs) || !!document.querySelector('iframe,frame,object,embed,[onload],meta[http-equiv="refresh" i]');
  const drawn = e => { const r = e.getBoundingClientRect(); return r.width > 0 && r.height > 0 ? r : null; };
  // Large pictures may be decoded after the frame that shows them first.
  const large = i => i.complete && i.naturalWidth * i.naturalHeight > 131072;
  const inView = i => { const r = drawn(i); return r && r.bottom > 0 && r.right > 0 && r.top < innerHeight && r.left < innerWidth; };

  // timers are the milliseconds that are left to the page's short timers, and whether something works where none is seen. Without a token nothing notes them.
  const timers = token => {
    if (!token) return null;
    let said = null;
    addEventListener(token + '!', e => { said = e.detail; }, {once: true});
    dispatchEvent(new Event(token));
    return said;
  };

  // Families of fonts that are in use and have not come.
  const coming = () => [...new Set([...document.fonts].filter(f => f.status === 'loading').map(f => f.family.replace(/^["']|["']$/g, '')))].slice(0, 5);

  return {
    // lively are the elements whose style has changed more than a few times, with the last time.
    lively,
    still,
    // look waits for fonts and large pictures in view, at most ms, and says how the page is. watched has the document's
    // changes followed from now on.
    look: async (ms, token, watched) => {
      if (watched) watch();
      const end = sleep(ms);
      if (ms > 0) {
        if (document.fonts.status !== 'loaded') await Promise.race([document.fonts.ready, end]);
        const decoding = [...document.images].filter(i => large(i) && inView(i)).map(i => i.decode().catch(() => 0));
        if (decoding.length) await Promise.race([Promise.all(decoding), end]);
      }
      const root = document.scrollingElement || document.documentElement;
      return {
        still: still(), moved: watching ? performance.now() - moved : 0, scripted: scripted(), fonts: document.fonts.status === 'loaded', coming: coming(),
        title: document.title.slice(0, 2048), url: location.href.slice(0, 16384), ready: document.readyState,
        height: root ? root.scrollHeight : innerHeight, width: root ? root.scrollWidth : innerWidth, now: performance.now(), timers: timers(token),
      };
    },
  };
})();
