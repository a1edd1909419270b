// Runs in a world of its own beside the page's scripts: they can neither see nor change it.
if (!globalThis.savepage) globalThis.savepage = (() => {
  const sleep = ms => new Promise(done => setTimeout(done, ms));
  // frame waits for the next picture of the page, or a little longer than one takes.
  const frame = () => Promise.race([new Promise(done => requestAnimationFrame(done)), sleep(100)]);

  // What is still since when. A node that only ever changes its own text or look is restless: a clock, a carousel.
  // Nobody waits for it to end.
  let last = performance.now(), moved = last;
  const changes = new WeakMap();
  const restless = record => {
    if (record.type === 'childList' && record.addedNodes.length !== record.removedNodes.length) return false;
    const n = (changes.get(record.target) || 0) + 1;
    changes.set(record.target, n);
    return n > 8;
  };
  new MutationObserver(records => {
    let changed = false;
    for (const record of records) if (!restless(record)) changed = true;
    moved = performance.now();
    if (changed) last = moved;
  }).observe(document, {
    subtree: true, childList: true, characterData: true, attributes: true,
    attributeFilter: ['class', 'style', 'src', 'srcset', 'href', 'hidden', 'open', 'width', 'height', 'd', 'points', 'transform', 'fill', 'viewBox', 'value', 'data-theme'],
  });

  const runs = s => !s.type || s.type === 'module' || /javascript|ecmascript/i.test(s.type);
  const scripted = () => [...document.scripts].some(runs) || !!document.querySelector('iframe,frame,object,embed,[onload],meta[http-equiv="refresh" i]');
  const drawn = e => { const r = e.getBoundingClientRect(); return r.width > 0 && r.height > 0 ? r : null; };
  // Large pictures may be decoded after the frame that shows them first.
  const large = i => i.complete && i.naturalWidth * i.naturalHeight > 131072;
  const inView = i => { const r = drawn(i); return r && r.bottom > 0 && r.right > 0 && r.top < innerHeight && r.left < innerWidth; };

  const box = selector => {
    for (const e of document.querySelectorAll(selector)) {
      const r = drawn(e);
      if (r && e.checkVisibility({visibilityProperty: true})) return {e, r};
    }
    return null;
  };
  const place = found => found && {x: found.r.left + scrollX, y: found.r.top + scrollY, width: found.r.width, height: found.r.height};

  // timers are the milliseconds that are left to the page's short timers, and whether something works where none is seen.
  const timers = token => {
    let said = null;
    addEventListener(token + '!', e => { said = e.detail; }, {once: true});
    dispatchEvent(new Event(token));
    return said;
  };

  return {
    // look waits for fonts and large pictures in view, at most ms, and says how the page is.
    look: async (ms, token) => {
      const end = sleep(ms);
      if (ms > 0) {
        if (document.fonts.status !== 'loaded') await Promise.race([document.fonts.ready, end]);
        const decoding = [...document.images].filter(i => large(i) && inView(i)).map(i => i.decode().catch(() => 0));
        if (decoding.length) await Promise.race([Promise.all(decoding), end]);
      }
      const root = document.scrollingElement || document.documentElement;
      return {
        still: performance.now() - last, moved: performance.now() - moved, scripted: scripted(), fonts: document.fonts.status === 'loaded',
        title: document.title.slice(0, 2048), url: location.href.slice(0, 16384), ready: document.readyState,
        height: root ? root.scrollHeight : innerHeight, width: root ? root.scrollWidth : innerWidth, now: performance.now(), timers: timers(token),
      };
    },
    // find waits at most ms for a visible element and says where it stands in the document.
    find: async (selector, ms) => {
      try { document.querySelector(selector); } catch (e) { return {wrong: String(e.message)}; }
      for (const end = performance.now() + ms; ;) {
        const found = box(selector);
        if (found || performance.now() >= end) return place(found);
        await sleep(Math.min(25, ms));
      }
    },
    // uncover scrolls whatever an element scrolls in, but not the page.
    uncover: async selector => {
      const found = box(selector);
      if (!found) return null;
      found.e.scrollIntoView({block: 'nearest', inline: 'nearest', behavior: 'instant'});
      scrollTo({left: 0, top: 0, behavior: 'instant'});
      await frame();
      return place(box(selector));
    },
    // encode turns a png into a webp. A quality of 1 is lossless.
    encode: async (png, quality) => {
      const bytes = Uint8Array.from(atob(png), c => c.charCodeAt(0));
      const bitmap = await createImageBitmap(new Blob([bytes], {type: 'image/png'}));
      const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
      canvas.getContext('2d').drawImage(bitmap, 0, 0);
      const blob = await canvas.convertToBlob({type: 'image/webp', quality});
      const reader = new FileReader();
      const read = new Promise((done, failed) => { reader.onload = done; reader.onerror = failed; });
      reader.readAsDataURL(blob);
      await read;
      return reader.result.slice(reader.result.indexOf(',') + 1);
    },
    // hide hides the pictures of hosts that did not answer: the browser draws a frame in their place.
    hide: hosts => {
      for (const i of document.images) {
        if (!i.complete || i.naturalWidth || !hosts.includes(URL.parse(i.currentSrc || i.src)?.hostname)) continue;
        i.style.setProperty('visibility', 'hidden', 'important');
      }
    },
    // pictures counts those on the page that are still coming.
    pictures: () => {
      let coming = 0;
      for (const i of document.images) {
        const r = drawn(i);
        if (r && r.right > 0 && r.left < innerWidth && r.bottom + scrollY > 0 && (i.currentSrc || i.src) && !i.complete) coming++;
      }
      return {coming};
    },
  };
})();
