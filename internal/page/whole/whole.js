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

  // steady undoes what depends on where the window stands: backgrounds that are fixed to it, and parts that are only
  // drawn when it is near.
  const steady = () => {
    let n = 0;
    for (const e of elements()) {
      if (++n > maxElements) return;
      const style = getComputedStyle(e);
      if (style.contentVisibility === 'auto') force(e, 'content-visibility', 'visible');
      if (style.backgroundAttachment.includes('fixed')) force(e, 'background-attachment', style.backgroundAttachment.replaceAll('fixed', 'scroll'));
    }
  };

  // main is the part of the page that scrolls in its place, when the page itself does not.
  const main = () => {
    if (root().scrollHeight > innerHeight * 1.1) return null;
    const own = getComputedStyle(document.documentElement).overflowY !== 'visible'; // else the body's is the window's
    let best = null, most = 0, n = 0;
    for (const e of elements()) {
      if (++n > maxElements) break;
      if (e === document.documentElement || (e === document.body && !own) || e.localName === 'textarea') continue;
      const hidden = e.scrollHeight - e.clientHeight;
      if (hidden < 2 || e.clientHeight < innerHeight * 0.4 || e.clientWidth < innerWidth * 0.3) continue;
      if (e.clientWidth * e.clientHeight <= most || !scrolls(getComputedStyle(e).overflowY) || !e.checkVisibility({visibilityProperty: true})) continue;
      const r = e.getBoundingClientRect();
      if (r.bottom <= 0 || r.top >= innerHeight || r.right <= 0 || r.left >= innerWidth) continue;
      best = e;
      most = e.clientWidth * e.clientHeight;
    }
    return best;
  };

  // grow makes a part as tall as what it holds, and with it everything that it stands in, by the same number of pixels.
  // Heights are set in pixels: percentages and the units of the window keep their meaning.
  const grow = part => {
    for (let round = 0; round < 4; round++) {
      const more = part.scrollHeight - part.clientHeight;
      if (more <= 1) break;
      const chain = [];
      for (let e = part; e; e = within(e)) chain.push({e, style: getComputedStyle(e), height: e.getBoundingClientRect().height / (e.currentCSSZoom || 1)});
      const to = chain.map(({e, style, height}) => {
        const px = v => parseFloat(v) || 0;
        const around = style.boxSizing === 'border-box' ? 0 : px(style.paddingTop) + px(style.paddingBottom) + px(style.borderTopWidth) + px(style.borderBottomWidth);
        return {e, fixed: style.position === 'fixed', height: height + more - around};
      });
      const inner = [...part.children].map(e => ({e, height: e.getBoundingClientRect().height}));
      for (const {e, fixed, height} of to) {
        force(e, 'min-height', Math.ceil(height) + 'px');
        force(e, 'max-height', 'none');
        if (fixed) force(e, 'position', 'absolute');
      }
      // What has grown too was a part of the height that was: a first screen of 100 %.
      for (const {e, height} of inner) {
        const now = e.getBoundingClientRect().height;
        if (height > 0 && Math.abs(now - height) > 1) force(e, 'height', e.offsetHeight * height / now + 'px');
      }
      grown.add(part);
    }
    part.scrollTop = 0;
  };

  const unfold = () => {
    const part = [...grown].find(e => e.isConnected) || main();
    if (part) grow(part);
  };

  // window of the page: what can be scrolled to, sideways too. left is negative where the page runs from right to left.
  const extent = () => {
    const r = root(), page = getComputedStyle(document.documentElement), body = document.body && getComputedStyle(document.body);
    const x = page.overflowX === 'visible' && body ? body.overflowX : page.overflowX;
    const shut = x === 'hidden' || x === 'clip';
    const width = shut ? innerWidth : Math.max(r.scrollWidth, innerWidth);
    const leftward = page.direction === 'rtl' || (body && body.direction === 'rtl');
    return {height: r.scrollHeight, width, left: leftward ? innerWidth - width : 0};
  };

  const lazy = 'img[loading="lazy"],img[data-src],img[data-srcset],img[data-original],img[data-lazy],img[data-lazy-src],source[data-srcset]';
  return {
    // prepare brings the page to its top and makes it one long page.
    prepare: () => {
      scrollTo({left: 0, top: 0, behavior: 'instant'});
      steady();
      unfold();
      return extent();
    },
    // aside scrolls sideways.
    aside: async left => { scrollTo({left, top: 0, behavior: 'instant'}); await frame(); },
    // measure says how large the page is now. What it loaded may have to be unfolded too.
    measure: () => {
      unfold();
      lay();
      return extent();
    },
    // show scrolls to y and tells scripts that wait for scrolling to look around.
    show: async y => {
      scrollTo({left: 0, top: y, behavior: 'instant'});
      await frame();
      for (const e of [document, ...grown]) e.dispatchEvent(new Event('scroll', {bubbles: e === document}));
      return {height: root().scrollHeight};
    },
    // walk scrolls through the page as a reader would, with a frame or two for each step, and back.
    walk: async (steps, ms) => {
      const end = performance.now() + ms;
      for (let i = 1; i <= steps && performance.now() < end; i++) {
        const before = scrollY;
        scrollTo({left: 0, top: i * innerHeight * 0.9, behavior: 'instant'});
        if (scrollY === before) break;
        await frame();
      }
      scrollTo({left: 0, top: 0, behavior: 'instant'});
      await frame();
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
        if (x < 0 || x + width > innerWidth + 1 || !e.checkVisibility({visibilityProperty: true, opacityProperty: true})) continue;
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
