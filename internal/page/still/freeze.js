// Brings to rest what moves on the page. Runs in every frame, in a world of its own beside the page's scripts.
if (!globalThis.savepageStill) globalThis.savepageStill = (() => {
  const sleep = ms => new Promise(done => setTimeout(done, ms));
  const frame = () => Promise.race([new Promise(done => requestAnimationFrame(done)), sleep(100)]);
  const heard = (e, name) => new Promise(done => e.addEventListener(name, done, {once: true}));
  const attempt = act => { try { return act(); } catch { return undefined; } };

  // The document and the shadow trees in it: the open ones, and the closed ones that it is told of.
  const closed = new Set();
  const roots = () => {
    const all = [document, ...closed];
    for (const root of all) for (const e of root.querySelectorAll('*')) if (e.shadowRoot) all.push(e.shadowRoot);
    return all;
  };

  // What follows scrolling stands still by itself.
  const timed = a => a.timeline instanceof DocumentTimeline && a.effect?.target;
  let whole = false; // the page is seen as a whole

  // What follows its place in view stands where it is wholly seen, unless that place is in view: of a whole page all is seen.
  const viewed = all => !whole ? [] : all.flatMap(root => root.getAnimations()).filter(a => {
    const r = a.timeline instanceof ViewTimeline && a.timeline.subject?.getBoundingClientRect();
    return r && (r.bottom < 0 || r.top > innerHeight);
  });
  const running = all => all.flatMap(root => root.getAnimations()).filter(a => timed(a) && a.playState === 'running');

  // An animation that begins again each time it has ended is an endless one: the bar of a carousel that goes on by itself.
  const ended = new WeakMap();
  let turn = 0; // of ending: what an element does at once counts once
  const again = a => {
    const names = ended.get(a.effect.target) || new Map();
    ended.set(a.effect.target, names);
    const name = a.animationName || a.transitionProperty || a.id || 'script', is = names.get(name) || {n: 0, turn: 0};
    names.set(name, is);
    if (is.turn !== turn) Object.assign(is, {n: is.n + 1, turn});
    return is.n > 3;
  };
  const endless = a => a.effect.getComputedTiming().endTime === Infinity || a.playbackRate === 0 || again(a);

  const at = (a, t) => attempt(() => { a.currentTime = t; });
  const look = a => {
    const s = getComputedStyle(a.effect.target, a.effect.pseudoElement);
    return [s.opacity, s.transform, s.translate, s.rotate, s.scale, s.filter, s.backdropFilter].join();
  };
  // aside moves an animation to where it looks other than at the time where it is to stand, and says whether there is such a
  // moment. The compositor shows where it has got to until it is told of a change, and to go where the page's own thread
  // believes it to be already is none.
  const aside = (a, span, stand) => {
    a.pause();
    at(a, stand);
    const will = look(a);
    return [0.37, 0.73, 0.11, 0.52, 0.9].some(part => { at(a, span * part); return look(a) !== will; });
  };

  // finish ends what has an end, as often as the page begins something new at that, and returns what has none.
  const stopped = new WeakSet();
  const finish = async all => {
    const held = [];
    for (let round = 0, more = true; more && round < 12; round++) {
      turn++;
      const list = running(all), ends = list.filter(a => !endless(a));
      for (const a of list) if (!ends.includes(a)) { a.pause(); held.push(a); stopped.add(a); }
      more = ends.length > 0;
      // What ends where it began must be seen elsewhere before.
      const stays = a => ['both', 'forwards'].includes(a.effect.getComputedTiming().fill);
      if (ends.filter(stays).filter(a => aside(a, a.effect.getComputedTiming().endTime, 0)).length) await frame().then(frame);
      const over = ends.filter(a => attempt(() => { a.finish(); return true; })).map(a => Promise.race([heard(a, 'finish'), heard(a, 'cancel')]));
      // The page's listeners are called in the same moment, before the next frame. On a busy machine it comes late.
      if (more) await Promise.race([Promise.all(over), sleep(500)]).then(frame);
    }
    return held;
  };

  // What cuts an element off to the left and right, above and below.
  const pane = e => {
    for (let up = e.parentElement; up && up !== document.body && up !== document.documentElement; up = up.parentElement) {
      if (getComputedStyle(up).overflowX !== 'visible') return up.getBoundingClientRect();
    }
    return {left: 0, right: innerWidth, top: -Infinity, bottom: Infinity};
  };
  // shown is how much can be seen of what an animation moves, from 0 to 1. Two halves of something count less than one whole.
  const shown = a => {
    const e = a.effect.target, style = getComputedStyle(e, a.effect.pseudoElement);
    const r = e.getBoundingClientRect(), p = pane(e);
    if (style.visibility !== 'visible' || !(r.width + r.height)) return 0;
    const across = r.width ? Math.max(0, Math.min(r.right, p.right) - Math.max(r.left, p.left)) / r.width : 1;
    const down = r.height ? Math.max(0, Math.min(r.bottom, p.bottom) - Math.max(r.top, p.top)) / r.height : 1;
    return style.opacity ** 2 * across * down;
  };
  const span = a => {
    const t = a.effect.getComputedTiming();
    return Math.min(60000, Math.max(0, t.delay) + t.duration * (t.direction.startsWith('alternate') ? 2 : 1));
  };

  // hold stops endless animations at the moment at which they began, or, where that hides something, at the first moment at
  // which most of it is seen. Neighbours are stopped at the same moment, as they would be seen: one slide of several. A
  // transition stops where it leads to: the rest of the page is there already.
  const leads = a => a instanceof CSSTransition;
  const hold = async held => {
    const groups = new Map();
    for (const a of held) {
      if (leads(a)) continue;
      at(a, 0);
      const of = a.effect.target.parentNode || a.effect.target, name = a.animationName || '';
      if (!groups.has(of)) groups.set(of, new Map());
      const g = groups.get(of).get(name) || {list: [], span: 0, scores: [], at: 0};
      groups.get(of).set(name, g);
      g.list.push(a);
      g.span = Math.max(g.span, span(a));
    }
    const every = [...groups.values()].flatMap(names => [...names.values()]);
    const poor = every.filter(g => g.list.length <= 200 && g.list.some(a => shown(a) < 0.999));
    const steps = Math.min(40, Math.floor(4000 / poor.reduce((n, g) => n + g.list.length, 1)));
    for (let step = 0; step < steps; step++) {
      for (const g of poor) for (const a of g.list) at(a, g.span * step / steps);
      for (const g of poor) g.scores.push(g.list.reduce((sum, a) => sum + shown(a), 0));
    }
    for (const g of poor) if (steps) g.at = g.span * g.scores.findIndex(s => s >= Math.max(...g.scores) * 0.999) / steps;
    const end = a => a.effect.getComputedTiming().endTime;
    for (const g of every) for (const a of g.list) aside(a, span(a), g.at);
    for (const a of held.filter(leads)) aside(a, end(a), end(a));
    if (held.length) await frame().then(frame);
    for (const g of every) for (const a of g.list) at(a, g.at);
    for (const a of held.filter(leads)) at(a, end(a));
  };

  // SVG's own animations do not run: the browser holds them with the moving pictures. Those that would end have done so, and
  // have left behind what they leave.
  const times = e => (e.getAttribute('begin') || '0s').split(';').map(t => t.trim());
  const ends = (e, before = []) => {
    const forever = ['repeatCount', 'repeatDur', 'dur'].some(name => e.getAttribute(name) === 'indefinite');
    if (before.includes(e) || forever || (e.localName !== 'set' && !(attempt(() => e.getSimpleDuration()) > 0))) return false;
    let timed = false;
    for (const t of times(e)) {
      const [, id] = /^([\w-]+)\.(?:end|begin)\b/.exec(t) || [];
      const after = id && e.getRootNode().getElementById(id);
      if (after && !(after.getStartTime && ends(after, [...before, e]))) return false;
      const begun = t === 'indefinite' && attempt(() => e.getStartTime()) !== undefined; // by a script
      timed ||= !!after || begun || /^[+-]?[\d.:]+(h|min|s|ms)?$/.test(t);
    }
    return timed;
  };
  // arrived is where an animation along a path arrives, as a transformation.
  const arrived = (e, to) => {
    const along = e.querySelector('mpath'), id = along && (along.getAttribute('href') || along.getAttribute('xlink:href') || '').slice(1);
    const d = id ? e.getRootNode().getElementById(id)?.getAttribute('d') : e.getAttribute('path');
    if (!d) return to && `translate(${to})`;
    const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
    path.setAttribute('d', d);
    const length = path.getTotalLength(), last = path.getPointAtLength(length), before = path.getPointAtLength(length - 0.1);
    const angle = Math.atan2(last.y - before.y, last.x - before.x) * 180 / Math.PI, turn = e.getAttribute('rotate') || 0;
    return `translate(${last.x} ${last.y}) rotate(${turn === 'auto' ? angle : turn === 'auto-reverse' ? angle + 180 : turn})`;
  };
  const longest = 6000; // milliseconds
  let arrivals = 0; // animations of drawings that were brought to their end
  const smil = root => {
    const all = [...root.querySelectorAll('animate,animateTransform,animateMotion,set')].filter(e => ends(e));
    for (const e of all) {
      const to = ((e.getAttribute('values') || '').split(';').filter(v => v.trim()).pop() || e.getAttribute('to') || '').trim();
      const moves = e.localName === 'animateMotion', name = moves ? 'transform' : e.getAttribute('attributeName'), target = e.targetElement;
      const sums = e.getAttribute('additive') === 'sum' || e.getAttribute('accumulate') === 'sum' || e.hasAttribute('by');
      if (!name || !target || sums) continue;
      const leaves = e.getAttribute('fill') === 'freeze' || (e.localName === 'set' && !e.hasAttribute('dur'));
      const value = moves ? attempt(() => arrived(e, to)) : to && e.localName === 'animateTransform' ? `${e.getAttribute('type') || 'translate'}(${to})` : to;
      if (leaves && !value) continue;
      arrivals++;
      e.remove();
      if (!leaves) continue;
      target.setAttribute(name, moves ? `${value} ${target.getAttribute(name) || ''}` : value);
      if (target.style.getPropertyValue(name) || CSS.supports(name, value)) target.style.setProperty(name, value, 'important');
    }
  };

  // A marquee stands where its text has come in.
  const marquee = m => {
    m.setAttribute('behavior', 'slide');
    m.setAttribute('scrollamount', '100000');
    m.setAttribute('truespeed', '');
    m.start();
  };

  // A video that plays or would play shows its poster or its first picture, as it does before it is played: it is loaded
  // again. A stream cannot be, it goes back to its beginning.
  const video = async v => {
    const loads = v.networkState === 2 && v.preload !== 'none';
    if (v.paused && !v.autoplay && v.currentTime === 0 && (v.poster || !loads)) return;
    const streamed = v.srcObject || v.currentSrc.startsWith('blob:');
    if (!streamed && (!v.paused || v.autoplay || v.currentTime !== 0)) {
      v.pause();
      v.removeAttribute('autoplay');
      v.preload = v.poster ? 'none' : 'auto';
      v.load();
      if (v.poster) return;
    }
    const drawn = new Promise(done => v.requestVideoFrameCallback(done));
    const failed = heard(v.querySelector('source:last-of-type') || v, 'error');
    if (v.readyState < 2 && !v.error) {
      await Promise.race([heard(v, 'loadeddata'), failed]);
      if (!v.error && v.checkVisibility() && v.getBoundingClientRect().width) await Promise.race([drawn, sleep(2000)]);
    }
    if (v.paused && v.currentTime === 0) return;
    v.pause();
    await frame().then(frame); // a picture that is on its way would come after the first one
    if (v.srcObject || !v.seekable.length) return;
    v.currentTime = 0;
    await heard(v, 'seeked');
  };

  // The focus may come late: what has it never shows where it writes.
  const writable = new WeakSet();
  const caret = root => {
    if (!writable.has(root) && root.querySelector('input,textarea,[contenteditable]')) {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(':focus{caret-color:transparent!important}');
      writable.add(root);
      attempt(() => root.adoptedStyleSheets.push(sheet));
    }
    const e = root.activeElement;
    if (e && (e !== document.body || e.isContentEditable)) e.style.setProperty('caret-color', 'transparent', 'important');
  };

  return {
    roots,
    // midway says of an animation that ends, within the time for which one is waited for, that it was stopped before its end.
    midway: a => {
      const end = a.effect.getComputedTiming().endTime;
      return stopped.has(a) && a.playState === 'paused' && end <= longest && a.currentTime < end;
    },
    // ended counts the animations of drawings that were brought to their end.
    ended: () => arrivals,
    // idle reports that there is nothing to bring to rest, and nothing that could hold it.
    idle: () => !window.length && roots().every(root => !root.getAnimations().length && !root.querySelector('video,marquee,animate,animateTransform,animateMotion,set')),
    // end ends what the page has begun because it is seen as a whole.
    end: async () => {
      whole = true;
      await finish(roots());
    },
    // virtual tells the page's documents, those in frames of the same origin too, that their clock is another one now.
    virtual: token => {
      const tell = w => { attempt(() => w.dispatchEvent(new Event(token))); for (let i = 0; i < w.length; i++) attempt(() => tell(w[i])); };
      tell(window);
    },
    // stop stops what the page would begin, and ends what it has begun.
    stop: async event => {
      dispatchEvent(new Event(event));
      const all = roots();
      if (running(all).length) await hold(await finish(all));
    },
    // move moves the page's animations on and waits for a frame.
    move: async ms => {
      for (const a of running(roots())) at(a, a.currentTime + ms * a.playbackRate);
      await new Promise(done => requestAnimationFrame(done));
    },
    // tell names a node in a shadow tree that cannot be found from outside, and says whether it is one. The browser's own
    // trees are none: to touch them ends the process.
    tell: node => {
      const root = node.getRootNode(), host = root.host;
      const authors = /-|^(article|aside|blockquote|body|div|footer|h[1-6]|header|main|nav|p|section|span)$/;
      if (!host || !authors.test(host.localName) || host.shadowRoot || closed.has(root)) return false;
      closed.add(root);
      return true;
    },
    // freeze brings everything to rest and says what stillness in still.go is.
    freeze: async () => {
      const began = performance.now();
      if (document.activeElement === document.body && document.querySelector('[autofocus]')) await frame().then(frame);
      for (const a of viewed(roots())) {
        a.pause();
        let best = 0, there = 50;
        for (let part = 50; part <= 100; part += 10) {
          at(a, CSS.percent(part));
          const is = shown(a);
          if (is > best + 0.001) [best, there] = [is, part];
        }
        at(a, CSS.percent(there));
      }
      const all = roots();
      for (let round = 0; !round || (round < 4 && running(all).length); round++) await hold(await finish(all));
      const waits = [];
      for (const root of all) {
        smil(root);
        caret(root);
        for (const v of root.querySelectorAll('video')) waits.push(video(v));
        const moved = [...root.querySelectorAll('marquee')];
        moved.forEach(marquee);
        if (moved.length) waits.push(frame().then(frame));
      }
      const late = waits.length > 0 && await Promise.race([Promise.all(waits).then(frame).then(frame).then(() => false), sleep(4000).then(() => true)]);
      const still = globalThis.savepage ? savepage.still() : Infinity;
      return {moved: still < performance.now() - began, frames: window.length, late, videos: document.querySelectorAll('video').length};
    },
  };
})();
