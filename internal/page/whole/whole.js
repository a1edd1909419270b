// Makes a page ready to be shot in its whole length. Runs beside the page's scripts.
if (!globalThis.savepageWhole) globalThis.savepageWhole = (() => {
  const maxElements = 30000;
  const root = () => document.scrollingElement || document.documentElement;
  const scrolls = v => v === 'auto' || v === 'scroll' || v === 'overlay';
  const within = node => node.assignedSlot || node.parentElement || (node.getRootNode() instanceof ShadowRoot ? node.getRootNode().host : null);
  // frame waits until the page has been drawn, and what watches it has been told. A large window takes its time.
  const frame = async () => {
    for (let i = 0; i < 2; i++) await new Promise(done => { requestAnimationFrame(done); setTimeout(done, 1000); });
  };
  const force = (e, name, value) => e.style.setProperty(name, value, 'important');
  const over = new Map(); // drawings by the frames that they stand over
  // drawing is a canvas with a picture, at the end of the document.
  const drawing = async png => {
    const bitmap = await createImageBitmap(new Blob([Uint8Array.from(atob(png), c => c.charCodeAt(0))], {type: 'image/png'}));
    const canvas = document.createElement('canvas');
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
    canvas.getContext('2d').drawImage(bitmap, 0, 0);
    return document.documentElement.appendChild(canvas);
  };
  // lay puts each drawing over its frame, wherever that stands now.
  const lay = () => {
    for (const [e, canvas] of over) {
      const r = e.getBoundingClientRect(), style = getComputedStyle(e), px = v => parseFloat(v) || 0;
      const at = {
        position: 'absolute', margin: 0, 'z-index': 2147483647, left: r.left + scrollX + e.clientLeft + px(style.paddingLeft) + 'px', top: r.top + scrollY + e.clientTop + px(style.paddingTop) + 'px',
        width: e.clientWidth - px(style.paddingLeft) - px(style.paddingRight) + 'px', height: e.clientHeight - px(style.paddingTop) - px(style.paddingBottom) + 'px',
      };
      for (const name in at) force(canvas, name, at[name]);
    }
  };
  const covered = []; // frames whose picture is kept
  const grown = new Set(); // parts that scrolled and do not any more

  // elements are those of the document and of the shadow trees that are open.
  function* elements(tree = document) {
    for (const e of tree.querySelectorAll('*')) {
      yield e;
      if (e.shadowRoot) yield* elements(e.shadowRoot);
    }
  }

  let fixed = false; // something stands still while the page scrolls
  const still = () => fixed || !!document.querySelector('dialog[open],[popover]') || [document.documentElement, document.body].some(e => e && ['::before', '::after'].some(part => getComputedStyle(e, part).position === 'fixed'));

  // steady undoes what depends on where the window stands: backgrounds that are fixed to it, and parts that are only
  // drawn when it is near.
  const steady = () => {
    let n = 0;
    for (const e of elements()) {
      if (++n > maxElements) return;
      const style = getComputedStyle(e);
      if (style.position === 'fixed') fixed = true;
      if (style.contentVisibility === 'auto') force(e, 'content-visibility', 'visible');
      if (style.backgroundAttachment.includes('fixed')) force(e, 'background-attachment', style.backgroundAttachment.replaceAll('fixed', 'scroll'));
    }
  };

  // loosen has a root that is fixed to the window scroll again.
  const loosen = () => {
    for (const e of [document.documentElement, document.body]) if (e && getComputedStyle(e).position === 'fixed') force(e, 'position', 'static');
  };

  // reads says that there is something to read or to look at below y.
  const written = e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
  const reads = (e, y) => [...e.querySelectorAll(':not(script,style,template,noscript,option)')].slice(0, 2000).some(c => {
    const r = c.getBoundingClientRect();
    return r.top >= y - 1 && r.height > 0 && (c.localName === 'img' || written(c));
  });

  // parts are those that scroll in place of the page, when the page itself does not, innermost first: columns beside each other,
  // lists in a column. Without any of them, it is what only a script can scroll: content that is moved in a box which fills
  // the window.
  const parts = () => {
    const page = root().scrollHeight, found = [], moved = [];
    const own = getComputedStyle(document.documentElement).overflowY !== 'visible'; // else the body's is the window's
    let n = 0;
    for (const e of elements()) {
      if (++n > maxElements) break;
      if (e === document.documentElement || (e === document.body && !own) || e.localName === 'textarea') continue;
      const hidden = e.scrollHeight - e.clientHeight;
      if (hidden < 2 || e.clientHeight < innerHeight * 0.25 || e.clientWidth < 120) continue;
      const y = getComputedStyle(e).overflowY;
      if (y === 'visible' || !e.checkVisibility({visibilityProperty: true})) continue;
      const r = e.getBoundingClientRect();
      if (r.bottom <= 0 || r.top >= innerHeight || r.right <= 0 || r.left >= innerWidth) continue;
      if (!scrolls(y)) {
        if (r.height >= innerHeight * 0.8 && r.width >= innerWidth * 0.6 && hidden > innerHeight * 0.3 && reads(e, r.bottom)) moved.push(e);
        continue;
      }
      // On a page that scrolls itself only what is as large as the window.
      if (page > innerHeight * 1.1 && (r.height < innerHeight * 0.8 || page > innerHeight * 2)) continue;
      found.push(e);
    }
    if (found.length) return found.reverse();
    return page > innerHeight * 1.1 ? [] : moved.slice(-1);
  };

  // room is how far an element may grow before it meets what stands below it, or the end of what it stands in.
  const room = e => {
    const up = within(e), r = e.getBoundingClientRect();
    let end = up ? up.getBoundingClientRect().bottom : r.bottom;
    for (const other of up ? up.children : []) {
      const o = other.getBoundingClientRect();
      if (other !== e && o.height > 0 && o.top >= r.bottom - 1 && o.left < r.right && o.right > r.left) end = Math.min(end, o.top);
    }
    return end - r.bottom;
  };
  const spared = new Map(); // the room of what has to grow, before anything has grown

  // grow makes a part as tall as what it holds, and with it everything that it stands in, as far as it has no room there. It
  // returns the next part around it that scrolls, which grows by itself. Heights are set in pixels: percentages and the units
  // of the window keep their meaning.
  const grow = (part, most) => {
    let outer = null;
    for (let round = 0; round < 4; round++) {
      let more = Math.min(part.scrollHeight, most) - part.clientHeight;
      if (more <= 1) break;
      const inner = [...part.children].map(e => ({e, height: e.getBoundingClientRect().height}));
      const to = [];
      for (let e = part; e && more > 0; e = within(e)) {
        const style = getComputedStyle(e), px = v => parseFloat(v) || 0, zoom = e.currentCSSZoom || 1;
        if (e !== part && e !== document.body && e !== document.documentElement && scrolls(style.overflowY)) { outer = e; break; }
        const around = style.boxSizing === 'border-box' ? 0 : px(style.paddingTop) + px(style.paddingBottom) + px(style.borderTopWidth) + px(style.borderBottomWidth);
        to.push({e, fixed: style.position === 'fixed', height: e.getBoundingClientRect().height / zoom + more - around});
        if (spared.has(e)) more -= Math.max(0, room(e) - spared.get(e)) / zoom;
      }
      for (const {e, fixed, height} of to) {
        force(e, 'min-height', Math.ceil(height) + 'px');
        force(e, 'max-height', 'none');
        if (fixed) force(e, 'position', 'absolute');
      }
      // What has grown too was a part of the height that was: a first screen of 100 %.
      for (const {e, height} of inner) {
        const now = e.getBoundingClientRect().height;
        if (height > 0 && Math.abs(now - height) > 1 && !grown.has(e)) force(e, 'height', e.offsetHeight * height / now + 'px');
      }
      grown.add(part);
    }
    part.scrollTop = 0;
    return outer;
  };

  // unfold makes the parts that scroll as tall as what they hold, at most as tall as a page may be.
  const unfold = most => {
    const known = [...grown].filter(e => e.isConnected), list = known.length ? known : parts();
    if (!known.length) for (const part of list) for (let e = part; e; e = within(e)) if (!spared.has(e)) spared.set(e, room(e));
    for (const part of list) {
      const outer = grow(part, most);
      if (outer && !list.includes(outer)) list.push(outer);
    }
  };

  // window of the page: what can be scrolled to, sideways too. left is negative where the page runs from right to left.
  const extent = () => {
    const r = root(), page = getComputedStyle(document.documentElement), body = document.body && getComputedStyle(document.body);
    const x = page.overflowX === 'visible' && body ? body.overflowX : page.overflowX;
    const shut = x === 'hidden' || x === 'clip';
    const width = shut ? innerWidth : Math.max(r.scrollWidth, innerWidth);
    const leftward = page.direction === 'rtl' || (body && body.direction === 'rtl');
    const frameset = document.body?.localName === 'frameset';
    const more = [...grown].some(e => e.isConnected && e.scrollHeight - e.clientHeight > 100);
    return {height: r.scrollHeight, width, left: leftward ? innerWidth - width : 0, frameset, more, still: still()};
  };
  // hidden is how much of its document the frame of a frameset hides that hides most.
  const hidden = (of = document) => Math.max(0, ...[...of.querySelectorAll('frame')].map(e => {
    const page = e.contentDocument, r = page && (page.scrollingElement || page.documentElement);
    if (!r) return 0;
    return page.body?.localName === 'frameset' ? hidden(page) : r.scrollHeight - r.clientHeight;
  }));

  const lazy = 'img[loading="lazy"],img[data-src],img[data-srcset],img[data-original],img[data-lazy],img[data-lazy-src],source[data-srcset]';
  return {
    // prepare brings the page to its top and makes it one long page.
    prepare: most => {
      scrollTo({left: 0, top: 0, behavior: 'instant'});
      loosen();
      steady();
      unfold(most);
      return extent();
    },
    // aside scrolls sideways.
    aside: async left => { scrollTo({left, top: 0, behavior: 'instant'}); await frame(); },
    // measure says how large the page is now. What it loaded may have to be unfolded too.
    measure: most => {
      unfold(most);
      lay();
      return extent();
    },
    // framed says how tall the window is, and how much the frames of its frameset hide.
    framed: async () => {
      await frame();
      return {height: innerHeight, hidden: hidden()};
    },
    // show scrolls to y and tells scripts that wait for scrolling to look around.
    show: async y => {
      scrollTo({left: 0, top: y, behavior: 'instant'});
      await frame();
      for (const e of [document, ...grown]) e.dispatchEvent(new Event('scroll', {bubbles: e === document}));
      return {height: root().scrollHeight};
    },
    // end scrolls to the end of the page for real, and says how tall it is.
    end: async () => {
      scrollTo({left: 0, top: root().scrollHeight, behavior: 'instant'});
      await frame();
      for (const e of grown) e.dispatchEvent(new Event('scroll'));
      return {height: root().scrollHeight};
    },
    // walk scrolls through the page as a reader would, with a frame or two and a pause for each step, and back. It says
    // whether it came to the end.
    walk: async (steps, ms, pause) => {
      const end = performance.now() + ms;
      let arrived = false;
      for (let i = 1; !arrived && i <= steps && performance.now() < end; i++) {
        const before = scrollY;
        scrollTo({left: 0, top: i * innerHeight * 0.9, behavior: 'instant'});
        arrived = scrollY === before;
        if (!arrived) await frame();
        if (!arrived && pause) await new Promise(done => setTimeout(done, pause));
      }
      scrollTo({left: 0, top: 0, behavior: 'instant'});
      await frame();
      return arrived;
    },
    // unseen counts the pictures that have not been asked for, or that wait to be seen.
    unseen: () => {
      let n = 0;
      for (const i of document.querySelectorAll(lazy)) {
        const img = i.localName === 'source' ? i.parentElement.querySelector('img') : i;
        if (!img) continue;
        const r = img.getBoundingClientRect();
        if (!img.checkVisibility() || r.right <= 0 || r.left >= innerWidth || r.bottom + scrollY <= 0) continue;
        if (!img.complete || img.naturalWidth <= 1) n++;
      }
      for (const i of document.images) if (!i.currentSrc && !i.src && i.checkVisibility()) n++;
      return n;
    },
    // embeds are the frames of other origins in the window and below the first one, with the places of what they hold.
    embeds: async (first, most) => {
      const found = [];
      for (const e of elements()) {
        if (e.localName !== 'iframe' || e.contentDocument || covered.includes(e) || covered.length >= most) continue;
        const r = e.getBoundingClientRect(), style = getComputedStyle(e), px = v => parseFloat(v) || 0;
        const x = r.left + e.clientLeft + px(style.paddingLeft), y = r.top + e.clientTop + px(style.paddingTop);
        const width = e.clientWidth - px(style.paddingLeft) - px(style.paddingRight), height = e.clientHeight - px(style.paddingTop) - px(style.paddingBottom);
        if (width < 2 || height < 2 || width * height > 4e6 || y + scrollY < first || y >= innerHeight || y + height > innerHeight + 1) continue;
        if (x < 0 || x >= innerWidth || !e.checkVisibility({visibilityProperty: true, opacityProperty: true})) continue;
        found.push({index: covered.push(e) - 1, x: x + scrollX, y: y + scrollY, width, height});
      }
      if (found.length) await frame();
      return found;
    },
    // cover puts a picture behind a frame that shows nothing where it stands, or over it where the page's content policy
    // allows no such background.
    cover: async (index, png) => {
      const e = covered[index];
      let refused = false;
      const hear = v => { refused ||= v.blockedURI === 'data'; };
      document.addEventListener('securitypolicyviolation', hear);
      force(e, 'background', 'url(data:image/png;base64,' + png + ') 0 0 / 100% 100% no-repeat content-box');
      await frame();
      document.removeEventListener('securitypolicyviolation', hear);
      if (refused) over.set(e, await drawing(png));
      lay();
    },
    // pictures counts those on the page that are still coming.
    pictures: () => {
      let coming = 0;
      for (const i of document.images) {
        const r = i.getBoundingClientRect();
        if (r.width > 0 && r.height > 0 && r.right > 0 && r.left < innerWidth && r.bottom + scrollY > 0 && (i.currentSrc || i.src) && !i.complete) coming++;
      }
      return {coming};
    },
    // motion waits at most ms for transitions and animations that end within a second, on a machine that keeps up.
    motion: async ms => {
      const ends = a => a.playState === 'running' && a.effect?.getComputedTiming().endTime - (a.currentTime ?? 0) <= 1000;
      const wait = Promise.all(document.getAnimations().filter(ends).map(a => a.finished.catch(() => 0)));
      await Promise.race([wait, new Promise(done => setTimeout(done, ms))]);
    },
  };
})();
