// Runs in a world of its own beside the page's scripts: they can neither see nor change it.
if (!globalThis.savepage) globalThis.savepage = (() => {
  const sleep = ms => new Promise(done => setTimeout(done, ms));
  // frame waits for the next picture of the page, or a little longer than one takes.
  const frame = () => Promise.race([new Promise(done => requestAnimationFrame(done)), sleep(100)]);

  // What is still since when. A node that only ever changes its own text or look is restless: a clock, a carousel.
  // Nobody waits for it to end.
  let last = performance.now(), moved = last;
  const changes = new WeakMap(), lively = new Map();
  const restless = record => {
    if (record.type === 'childList' && record.addedNodes.length !== record.removedNodes.length) return false;
    const n = (changes.get(record.target) || 0) + 1;
    changes.set(record.target, n);
    if (n > 3 && record.attributeName === 'style') lively.set(record.target, performance.now());
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

  // Families of fonts that are in use and have not come.
  const coming = () => [...new Set([...document.fonts].filter(f => f.status === 'loading').map(f => f.family.replace(/^["']|["']$/g, '')))].slice(0, 5);

  // Letters that may lack a glyph: no Latin, Greek or Cyrillic, no common signs; no spaces, marks, controls; no boxes, which
  // look like what stands for a missing one.
  const rare = /(?![\p{Z}\p{M}\p{Cc}\p{Cf}\p{Cs}\u25a0-\u25ff\u{1f3fb}-\u{1f3ff}])[^\u0000-\u024f\u0370-\u04ff\u2010-\u205e\u20a0-\u20bf\u2122\ufffc]/gu;
  // uncommon are such letters of the page's text, by the fonts that they are written in.
  const uncommon = most => {
    const found = new Map();
    let n = 0, nodes = 0;
    const texts = document.createTreeWalker(document.body || document, NodeFilter.SHOW_TEXT);
    for (let t; n < most && nodes < 50000 && (t = texts.nextNode()); nodes++) {
      const letters = t.data.match(rare);
      if (!letters || /^(SCRIPT|STYLE|NOSCRIPT|TEMPLATE)$/.test(t.parentElement?.tagName) || !t.parentElement?.checkVisibility()) continue;
      const family = getComputedStyle(t.parentElement).fontFamily;
      if (!found.has(family)) found.set(family, new Set());
      for (const c of letters) if (n < most && !found.get(family).has(c)) { found.get(family).add(c); n++; }
    }
    return found;
  };
  // bare are those of the letters that have no glyph in any font. They look like a letter that none has: U+10FFFF.
  const bare = (family, letters) => {
    const cell = 24, canvas = document.createElement('canvas');
    canvas.width = cell * 40;
    canvas.height = cell * Math.ceil((letters.length + 1) / 40);
    const g = canvas.getContext('2d', {willReadFrequently: true});
    g.font = '16px ' + family;
    g.textBaseline = 'top';
    const all = ['\u{10ffff}', ...letters], at = i => [i % 40 * cell, Math.floor(i / 40) * cell];
    all.forEach((c, i) => { const [x, y] = at(i); g.save(); g.beginPath(); g.rect(x, y, cell, cell); g.clip(); g.fillText(c, x, y + 2); g.restore(); });
    const drawn = new Uint32Array(g.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
    const same = (a, b) => {
      const [ax, ay] = at(a), [bx, by] = at(b);
      for (let y = 0; y < cell; y++) for (let x = 0; x < cell; x++) {
        if (drawn[(ay + y) * canvas.width + ax + x] !== drawn[(by + y) * canvas.width + bx + x]) return false;
      }
      return true;
    };
    return letters.filter((c, i) => same(i + 1, 0));
  };

  return {
    // lively are the elements whose style has changed more than a few times, with the last time.
    lively,
    // still is for how many milliseconds the document has not changed.
    still: () => performance.now() - last,
    // letters says which letters on the page no font has.
    letters: () => {
      const missing = new Set();
      for (const [family, letters] of uncommon(300)) for (const c of bare(family, [...letters])) missing.add(c.codePointAt(0));
      return [...missing];
    },
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
        still: performance.now() - last, moved: performance.now() - moved, scripted: scripted(), fonts: document.fonts.status === 'loaded', coming: coming(),
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
    // dress brings the client's style sheet and what it hides to their own again.
    dress: () => globalThis.savepageDress?.(),
    // aim brings an element into view and says where its middle is seen.
    aim: async selector => {
      const found = box(selector);
      if (!found) return null;
      const before = scrollY;
      found.e.scrollIntoView({block: 'center', inline: 'center', behavior: 'instant'});
      await frame();
      const r = [...found.e.getClientRects()].find(r => r.width > 0 && r.height > 0) || found.e.getBoundingClientRect(), v = visualViewport;
      return {x: r.left + r.width / 2 - v.offsetLeft, y: r.top + r.height / 2 - v.offsetTop, before, for: scrollY};
    },
    // backFrom takes the page back to where it was before it was scrolled for a click, if it still stands there.
    backFrom: async (there, before) => {
      if (scrollY !== there || there === before) return;
      scrollTo({left: 0, top: before, behavior: 'instant'});
      await frame();
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
    // hide takes away the pictures that were refused, by their host or address, for which the browser draws a frame in their
    // place. Of pictures and frames that are gone for good the place goes too.
    hide: (hosts, urls, gone) => {
      const plain = address => {
        const url = URL.parse(address);
        if (url) url.hash = '';
        return url;
      };
      for (const e of document.querySelectorAll('img,iframe,frame,embed,object')) {
        if (e.localName === 'img' && (!e.complete || e.naturalWidth)) continue;
        const url = plain(e.currentSrc || e.src || e.data);
        if (!url) continue;
        if (gone?.includes(url.href)) e.style.setProperty('display', 'none', 'important');
        else if (e.localName === 'img' && (hosts?.includes(url.hostname) || urls?.includes(url.href))) e.style.setProperty('visibility', 'hidden', 'important');
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
