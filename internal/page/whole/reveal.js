// Keeps what the page shows only where it is seen. Runs beside the page's scripts.
if (!globalThis.savepageReveal) globalThis.savepageReveal = (() => {
  const maxElements = 50000, maxNoted = 4000, maxFollowed = 400, maxStops = 150;
  const full = 0.97; // of what a look can show: below that something of the element is hidden, or it is out of its place
  const better = 0.02; // of it, by which one look is preferred to another
  const frame = () => new Promise(done => { requestAnimationFrame(done); setTimeout(done, 1000); });
  const within = node => node.assignedSlot || node.parentElement || (node.getRootNode() instanceof ShadowRoot ? node.getRootNode().host : null);

  // elements are those of the document and of the shadow trees that are open, or known to what brings the page to rest.
  function* elements() {
    const trees = globalThis.savepageStill?.roots?.() || [document];
    for (const tree of trees) {
      for (const e of tree.querySelectorAll('*')) {
        yield e;
        if (e.shadowRoot && !trees.includes(e.shadowRoot)) trees.push(e.shadowRoot);
      }
    }
  }

  const px = (v, of) => v.endsWith('%') ? parseFloat(v) * of / 100 : parseFloat(v) || 0;
  const turns = v => {
    const parts = v.split(' ');
    if (parts.length === 1) return `rotate(${v})`;
    return parts.length === 2 ? `rotate${parts[0].toUpperCase()}(${parts[1]})` : `rotate3d(${parts.join()})`;
  };
  // matrix is how an element is moved, turned and scaled from where the layout has it; null when it is not.
  const matrix = (e, s) => {
    const list = [];
    if (s.translate !== 'none') {
      const [x, y = '0'] = s.translate.split(' ');
      list.push(`translate(${px(x, e.offsetWidth || 0)}px,${px(y, e.offsetHeight || 0)}px)`);
    }
    if (s.rotate !== 'none') list.push(turns(s.rotate));
    if (s.scale !== 'none') { const [x, y = x] = s.scale.split(' '); list.push(`scale(${x},${y})`); }
    if (s.transform !== 'none') list.push(s.transform);
    if (!list.length) return null;
    try { return new DOMMatrix(list.join(' ')); } catch { return null; }
  };

  // area is how much of an element its clip-path leaves, from 0 to 1.
  const area = (e, clip) => {
    const [, shape, values] = /^(inset|circle|ellipse|polygon)\((.*)\)$/.exec(clip) || [];
    const w = e.offsetWidth || 1, h = e.offsetHeight || 1;
    if (!shape || values.includes('(')) return 1;
    if (shape === 'inset') {
      const v = values.split(' round ')[0].split(' '), [t, r = t, b = t, l = r] = v;
      return Math.max(0, 1 - (px(l, w) + px(r, w)) / w) * Math.max(0, 1 - (px(t, h) + px(b, h)) / h);
    }
    if (shape === 'polygon') {
      const points = values.replace(/^\w+, /, '').split(', ').map(p => p.split(' ')).map(([x, y]) => [Math.min(1, Math.max(0, px(x, w) / w)), Math.min(1, Math.max(0, px(y, h) / h))]);
      return Math.abs(points.reduce((sum, [x, y], i) => { const [nx, ny] = points[(i + 1) % points.length]; return sum + x * ny - nx * y; }, 0) / 2);
    }
    const [x, y = x] = values.split(' at ')[0].split(' ');
    if (!/^[\d.]/.test(x)) return 1;
    const diagonal = Math.hypot(w, h) / Math.SQRT2;
    return shape === 'circle' ? Math.min(1, px(x, diagonal) / (Math.hypot(w, h) / 2)) : Math.min(1, px(x, w) * 2 / w) * Math.min(1, px(y, h) * 2 / h);
  };

  const blurred = filter => {
    if (filter === 'none') return 1;
    const of = (name, otherwise) => { const m = new RegExp(name + '\\(([\\d.]+)').exec(filter); return m ? +m[1] : otherwise; };
    return Math.min(1, of('opacity', 1)) * (0.5 + 0.5 * Math.min(1, of('brightness', 1))) / (1 + of('blur', 0) / 10) * (1 - 0.05 * Math.min(1, of('grayscale', 0)));
  };

  // flat says that an element has lost one of its two dimensions: a bar that has not grown, a part that is folded up.
  const flat = (e, s) => (e.offsetWidth === 0) !== (e.offsetHeight === 0) && s.display !== 'inline' && s.display !== 'contents' && (s.overflowX !== 'visible' || s.backgroundColor !== 'rgba(0, 0, 0, 0)');

  // shows is how much an element shows by its own look, from 0 to 1: all of it, in the place that the layout gives it.
  const shows = (e, s) => {
    let part = +s.opacity;
    if (s.visibility !== 'visible') {
      const up = within(e);
      if (!up || getComputedStyle(up).visibility === 'visible') return 0; // else it is hidden with what it stands in
    }
    const m = matrix(e, s);
    if (m) {
      const size = Math.abs(m.m11 * m.m22 - m.m12 * m.m21);
      if (s.backfaceVisibility === 'hidden' && m.m33 < 0) return 0;
      part *= size > 1 ? 1 / (1 + (size - 1) / 5) : size;
      part *= 1 / (1 + Math.hypot(m.m41, m.m42) / 200) * (1 - Math.abs(Math.atan2(m.m12, m.m11)) / Math.PI / 5);
    }
    if (s.clipPath !== 'none') part *= area(e, s.clipPath);
    if (s.filter !== 'none') part *= blurred(s.filter);
    return part > 0 && flat(e, s) ? 0 : part;
  };

  const look = s => ({
    opacity: s.opacity, visibility: s.visibility, transform: s.transform, translate: s.translate, rotate: s.rotate, scale: s.scale, filter: s.filter,
    'clip-path': s.clipPath,
  });

  // state is all that may move of a look.
  const state = (e, s = getComputedStyle(e)) => [s.opacity, s.visibility, s.transform, s.translate, s.scale, s.rotate, s.clipPath, s.filter, e.offsetWidth, e.offsetHeight].join();

  // place is where the layout has an element that stands apart from the others; null for one in their row.
  const place = (e, s) => s.position === 'absolute' || s.position === 'fixed' ? [e.offsetLeft, e.offsetTop].join() : null;

  // noted are elements that did not show all of themselves when they were first looked at: what each showed then, and its best
  // look since.
  const noted = new Map();
  const note = (e, s, part) => {
    let n = noted.get(e);
    if (!n) {
      if (noted.size >= maxNoted) return false;
      noted.set(e, n = {before: part, best: part, look: look(s), flat: flat(e, s), up: 0, down: 0, first: state(e, s), state: state(e, s), place: place(e, s)});
      return false;
    }
    n.placed ||= place(e, s) !== n.place; // by layout and transform together: neither says anything without the other
    const m = s.transform === 'none' ? null : matrix(e, s);
    if (m && part > 0.3) { n.up = Math.min(n.up, m.m42); n.down = Math.max(n.down, m.m42); }
    n.moved ||= state(e, s) !== n.first;
    if (n.flat && part > 0) n.size = {width: Math.max(e.offsetWidth, n.size?.width || 0), height: Math.max(e.offsetHeight, n.size?.height || 0)};
    if (part <= n.best + 0.0005) return false;
    n.best = part;
    n.look = look(s);
    return true;
  };
  const sound = new WeakSet(); // elements that showed all of themselves
  // scan looks for elements that hide something. Known ones are passed over.
  const scan = () => {
    let n = 0;
    for (const e of elements()) {
      if (++n > maxElements) return;
      if (noted.has(e) || !e.checkVisibility()) continue;
      const s = getComputedStyle(e), part = shows(e, s);
      if (part < full) note(e, s, part);
      else sound.add(e);
    }
  };
  // update notes the looks that are better than those before, and counts them.
  const update = () => {
    let found = 0;
    for (const [e] of noted) {
      if (!e.isConnected) continue;
      const s = getComputedStyle(e);
      if (note(e, s, shows(e, s))) found++;
    }
    return found;
  };

  // restless are elements that move also while the page stands still.
  const restless = new WeakSet();
  // tire counts how often elements have moved while something was waited for, and tells those that go on apart.
  const tire = (moving, moves, over) => {
    for (const e of moving) {
      moves.set(e, (moves.get(e) || 0) + 1);
      if (over && moves.get(e) > 8) restless.add(e);
    }
  };
  const runs = a => a.playState === 'running' && a.timeline instanceof DocumentTimeline && noted.has(a.effect?.target) && a.effect.getComputedTiming().endTime < 4000;
  const followed = () => [...noted.keys()].filter(e => !restless.has(e) && e.isConnected).slice(0, maxFollowed);
  const moves = list => list.some(e => state(e) !== noted.get(e).state) || document.getAnimations().some(runs);
  // rest waits at most ms until what is noted does not change any more, if anything of it has changed since it was looked at.
  const rest = async ms => {
    const list = followed();
    if (!moves(list)) return;
    let was = list.map(e => state(e)), moving = [];
    const moved = new Map(), end = performance.now() + ms;
    for (let same = 0; same < 3 && performance.now() < end;) {
      await frame();
      const is = list.map(e => state(e));
      moving = list.filter((_, i) => is[i] !== was[i]);
      tire(moving, moved, false);
      same = moving.length || document.getAnimations().some(runs) ? 0 : same + 1;
      was = is;
    }
    tire(moving, moved, true);
    list.forEach((e, i) => { noted.get(e).state = was[i]; });
  };

  // mixed waits at most ms for elements that a script and the browser move together: to end one part would stop the other. It
  // looks at what changes while act runs.
  const mixed = async (ms, act) => {
    const list = followed(), was = list.map(e => e.style.cssText);
    await act();
    const running = new Set(document.getAnimations().filter(runs).map(a => a.effect.target));
    if (running.size && list.some((e, i) => running.has(e) && e.style.cssText !== was[i])) await rest(ms);
  };

  // tied says that an element keeps its place in the window while the page scrolls.
  const tied = e => {
    for (let up = e; up && up !== document.body && up !== document.documentElement; up = within(up)) {
      const s = getComputedStyle(up);
      if (s.position === 'fixed' || (s.position === 'sticky' && up.offsetHeight < innerHeight * 0.95)) return true;
    }
    return false;
  };
  const scrolled = e => e.getAnimations().some(a => a.timeline && !(a.timeline instanceof DocumentTimeline));
  const viewed = e => e.getAnimations().some(a => a.timeline instanceof ViewTimeline);

  // What is kept: the looks by the mark that an element is given.
  const mark = 'data-savepage-seen';
  const sheets = new Map();
  let marks = 0;
  const keep = (e, look) => {
    const root = e.getRootNode(), id = ++marks;
    if (!sheets.has(root)) {
      const sheet = new CSSStyleSheet();
      sheets.set(root, sheet);
      root.adoptedStyleSheets.push(sheet);
    }
    if (scrolled(e)) look.animation = 'none'; // it may be drawn apart from what the page's style says
    const rules = Object.entries(look).map(([name, value]) => `${name}:${value}!important`).join(';');
    e.setAttribute(mark, id);
    sheets.get(root).insertRule(`[${mark}="${id}"]:not(#s#s#s){${rules};transition:none!important}`);
    // What the page says with more weight is answered where nothing has more.
    const s = getComputedStyle(e);
    if (Object.entries(look).some(([name, value]) => name !== 'animation' && s.getPropertyValue(name) !== value)) {
      for (const name in look) e.style.setProperty(name, look[name], 'important');
      e.style.setProperty('transition', 'none', 'important');
    }
  };
  const kept = n => {
    const is = {...n.look};
    if (n.placed) for (const name of ['transform', 'translate']) delete is[name];
    // What passes through its own place while the page scrolls stands there.
    if (n.up < -1 && n.down > 1 && !n.placed && /^matrix\(1, 0, 0, 1, 0, /.test(is.transform)) is.transform = 'none';
    if (n.size) Object.assign(is, {width: n.size.width + 'px', height: n.size.height + 'px', 'max-width': 'none', 'max-height': 'none'});
    return is;
  };

  let first = 0; // the height of the page's own window
  const apart = 'nav,header,menu,dialog,[popover],[role=menu],[role=tooltip],[role=dialog],[role=listbox],[aria-hidden=true]';
  // asks says that an element may wait to be reached: it is hidden, or a script has moved it out of its place and goes on at that.
  // driven says that what follows its place in view by its style alone is not asked for: freezing shows it at its best.
  const asks = (e, n, driven) => {
    if (n.best >= 0.93 || !e.isConnected || restless.has(e)) return false;
    if (n.flat && e.offsetWidth) return false; // folded up, until somebody opens it
    if (n.best > 0.3 && !(n.moved && (e.style.transform || e.style.translate)) && !scrolled(e)) return false;
    if ((driven && viewed(e)) || !e.checkVisibility() || e.closest(apart)) return false;
    if (e.getBoundingClientRect().bottom + scrollY <= first) return false; // it has been in the window from the beginning
    return (n.flat || (e.offsetWidth || 0) * (e.offsetHeight || 0) > 400) && !tied(e);
  };
  // strays says that an element stood in its place, and a script has moved it up or down since.
  const strays = e => {
    if (!e.style?.transform || !sound.has(e) || e.hasAttribute(mark)) return false;
    const s = getComputedStyle(e);
    return /^matrix\(1, 0, 0, 1, 0, /.test(s.transform) && shows(e, s) < full && !e.getAnimations().length && !tied(e);
  };
  // home waits at most ms for what the window showed before, and shows anew now that the page is back at its top.
  const home = async ms => {
    const dim = e => sound.has(e) && !restless.has(e) && e.isConnected && shows(e, getComputedStyle(e)) < full && e.checkVisibility();
    let list = [...elements()].filter(dim).slice(0, maxFollowed), moving = [];
    const last = new Map(list.map(e => [e, state(e)])), moved = new Map();
    for (let same = 0, end = performance.now() + ms; list.length && same < 12 && performance.now() < end;) {
      await frame();
      list = list.filter(dim);
      moving = list.filter(e => state(e) !== last.get(e));
      for (const e of moving) last.set(e, state(e));
      tire(moving, moved, false);
      same = moving.length ? 0 : same + 1;
    }
    tire(moving, moved, true);
  };
  const some = driven => [...noted].some(([e, n]) => asks(e, n, driven));

  return {
    // begin notes what is hidden before the page is seen as a whole, and says whether that is anything.
    begin: async () => {
      first = innerHeight;
      // What follows the scrolling has no look of its own before the page has been drawn.
      const drawn = () => document.getAnimations().every(a => !a.timeline || a.currentTime !== null);
      for (let n = 0; n < 5 && !drawn(); n++) await frame();
      scan();
      savepageLists.begin();
      return some(false);
    },
    // seen notes how it looks now, when it has come to rest: how many elements look better than before, whether there is anything
    // to keep, and whether something still waits.
    seen: async (ms, driven) => {
      await rest(ms);
      const found = update(), holds = savepageLists.seen();
      return {found, keeps: holds || [...noted.values()].some(n => n.best > n.before + better), waits: some(driven)};
    },
    // wake gives scripts that wait before they look around the time to do so, and rest ms to what they move.
    wake: (late, rest) => mixed(rest, async () => {
      await new Promise(done => setTimeout(done, late));
      document.dispatchEvent(new Event('scroll', {bubbles: true}));
      await frame();
      await frame();
    }),
    // stops are the places to scroll to, to reach what still hides something.
    stops: driven => {
      if (!document.scripts.length && ![...noted.keys()].some(scrolled)) return [];
      const step = innerHeight * 0.4, last = (document.scrollingElement || document.documentElement).scrollHeight - innerHeight;
      const wanted = new Set();
      for (const [e, n] of noted) {
        if (!asks(e, n, driven)) continue;
        const r = e.getBoundingClientRect(), top = r.top + scrollY, bottom = r.bottom + scrollY;
        const from = Math.max(1, Math.ceil((top - innerHeight * 0.9) / step)), to = Math.min(Math.floor((bottom - innerHeight * 0.1) / step), from + 8);
        for (let i = from; i <= to; i++) wanted.add(Math.min(last, Math.round(i * step)));
        if (n.best > 0 || scrolled(e)) wanted.add(Math.min(last, Math.round((top + bottom - innerHeight) / 2)));
      }
      return [...wanted].filter(y => y > 0).sort((a, b) => a - b).slice(0, maxStops);
    },
    // visit scrolls to y as a reader would, and waits at most late ms until something moves at that, and rest ms for it.
    visit: (y, late, rest) => mixed(rest, async () => {
      scrollTo({left: 0, top: y, behavior: 'instant'});
      await frame();
      await frame();
      const list = followed();
      for (const end = performance.now() + late; performance.now() < end && !moves(list);) await frame();
      if (late) await frame();
    }),
    // keep shows what was seen also where the page has hidden it again, and counts what it could not keep.
    keep: async (driven, ms) => {
      await home(ms);
      const left = savepageLists.restore();
      for (const [e, is] of noted) {
        if (is.best <= is.before + better || is.kept || !e.isConnected || restless.has(e)) continue;
        const s = getComputedStyle(e);
        is.placed ||= place(e, s) !== is.place;
        const folds = is.size && (e.offsetWidth < is.size.width || e.offsetHeight < is.size.height);
        if ((shows(e, s) >= is.best - better && !folds) || tied(e) || (driven && viewed(e))) continue;
        keep(e, kept(is));
        is.kept = true;
      }
      for (const e of elements()) if (strays(e)) keep(e, {transform: 'none'});
      return left;
    },
  };
})();
