// Follows what moves on a page until it has ended, and tells what never ends: by what comes again, or by the time it takes.
// How it is drawn makes no difference: attributes and texts of elements, the places of parts that scroll, and the pixels of
// canvases are looked at twenty times a second. Runs beside the page's scripts, behind look.js, once the page shows a sign.
if (!globalThis.savepageMotion) globalThis.savepageMotion = (() => {
  // Milliseconds: between two looks; after a change until what moved has ended, and the same while frames are asked for;
  // between the changes of what is no motion but a clock; after a change until what moves begins anew; for one question.
  const tick = 50, calm = 120, tail = 600, slow = 400, pause = 1500, longest = 400;
  const late = window === top ? 2500 : 400; // after which no frame is waited for that shows a change: one out of view may get none
  const maxMovers = 400, maxStates = 160, maxNumbers = 48, maxPixels = 2e6, maxTested = 24, maxNamed = 5;
  // now is the time that the page has had: on a busy machine it goes slower than the real one.
  let lived = 0, seen = performance.now(), planned = tick;
  const now = () => lived + Math.min(performance.now() - seen, planned + tick);
  const live = () => { lived = now(); seen = performance.now(); };
  const attempt = act => { try { return act(); } catch { return undefined; } };
  const movers = new Map(); // what has moved, by its element
  let ticks = 0, asked = performance.now(), pruned = 0, started = 0, running = false, opaque = true, roots = [];

  // change notes that an element has changed. what says in which way: it is looked at again for that.
  const change = (e, what) => {
    if (!e) return null;
    let m = movers.get(e);
    const at = now();
    if (!m) {
      if (movers.size >= maxMovers && at - pruned > calm) {
        pruned = at;
        for (const [old, one] of movers) if (!one.endless && at - one.last > (one.quick ? pause : calm)) movers.delete(old);
      }
      if (movers.size >= maxMovers) return null;
      movers.set(e, m = {e, first: at, last: at, tick: ticks, real: performance.now(), quick: 0, names: new Set(), states: []});
    } else if (at - m.last > 4) {
      const gap = at - m.last, real = performance.now();
      if (gap > pause) Object.assign(m, {first: at, quick: 0, states: []});
      else if (gap < slow && real - m.real < 2 * slow) m.quick++;
      else m.quick >>= 1;
      m.last = at;
      m.real = real;
      m.tick = ticks;
    }
    if (what) m.names.add(what); else m.text = true;
    return m;
  };
  const observer = new MutationObserver(records => {
    for (const r of records) {
      if (r.type === 'attributes') {
        if (r.target.getAttribute(r.attributeName) !== r.oldValue) change(r.target, r.attributeName);
      } else change(r.type === 'characterData' ? r.target.parentElement : r.target, '');
    }
  });
  const scrolled = e => { if (e.target.nodeType === 1) { const m = change(e.target, ''); if (m) m.scrolls = true; } };

  // survey finds the trees that can be seen into: the document, open shadow trees, frames of the same origin.
  const survey = () => {
    const all = [document];
    for (const root of all) {
      for (const e of root.querySelectorAll('*')) {
        if (e.shadowRoot) all.push(e.shadowRoot);
        if (e.localName === 'iframe' || e.localName === 'frame') { const inner = attempt(() => e.contentDocument); if (inner) all.push(inner); }
      }
    }
    for (const root of all) {
      if (roots.includes(root)) continue;
      observer.observe(root, {subtree: true, childList: true, characterData: true, attributes: true, attributeOldValue: true});
      root.addEventListener('scroll', scrolled, {capture: true, passive: true});
    }
    roots = all;
  };

  // A canvas is looked at in full, for a change of one pixel, and in 64 parts, for what it looks like.
  const looks = new WeakMap();
  let scratch = null;
  const pixels = c => {
    const part = Math.min(1, Math.sqrt(maxPixels / (c.width * c.height)));
    const width = Math.max(1, Math.round(c.width * part)), height = Math.max(1, Math.round(c.height * part));
    scratch ||= document.createElement('canvas').getContext('2d', {willReadFrequently: true});
    if (scratch.canvas.width < width) scratch.canvas.width = width;
    if (scratch.canvas.height < height) scratch.canvas.height = height;
    scratch.clearRect(0, 0, width, height);
    scratch.drawImage(c, 0, 0, width, height);
    return {data: new Uint32Array(scratch.getImageData(0, 0, width, height).data.buffer), width, height};
  };
  const digest = ({data, width, height}) => {
    let hash = data.length, any = 0;
    for (let i = 0; i < data.length; i++) { hash = Math.imul(hash, 31) + data[i] | 0; any |= data[i]; }
    if (!any) return null; // WebGL's has been taken away, or nothing is drawn
    const numbers = new Array(64).fill(0), dx = Math.max(1, width >> 6), dy = Math.max(1, height >> 6), n = new Array(64).fill(0);
    for (let y = 0; y < height; y += dy) {
      for (let x = 0; x < width; x += dx) {
        const at = (y * 8 / height | 0) * 8 + (x * 8 / width | 0), p = data[y * width + x];
        numbers[at] += (p & 255) + (p >> 8 & 255) + (p >> 16 & 255) + (p >>> 24);
        n[at]++;
      }
    }
    return {hash, look: {shape: '', numbers: numbers.map((sum, i) => sum / (n[i] || 1))}};
  };
  const canvases = () => roots.flatMap(root => [...root.querySelectorAll('canvas')]).filter(c => c.width && c.height);
  const sample = whole => {
    for (const c of canvases()) {
      const m = movers.get(c), before = looks.get(c);
      // One that has not changed for long is looked at less often.
      if (m?.endless || (before?.same > 8 && ticks % 4) || !shown(c, whole)) continue;
      const is = attempt(() => digest(pixels(c)));
      if (is === undefined) { // it holds pictures of others: it can only be told that it may move
        scratch = null;
        if (!before || opaque) Object.assign(change(c, 'width') || {}, {blind: true, quick: 3});
        looks.set(c, {});
        continue;
      }
      if (!is) continue;
      const same = before?.hash === is.hash;
      if (before && !same) Object.assign(change(c, 'width') || {}, {canvas: true});
      looks.set(c, {hash: is.hash, same: same ? before.same + 1 : 0});
      if (movers.has(c)) movers.get(c).look = is.look;
    }
    const at = now();
    for (const m of movers.values()) {
      if (m.endless || at - m.last > pause || !(m.quick || m.canvas)) continue;
      m.states.push(m.look || state(m));
      if (m.states.length > maxStates) m.states.shift();
    }
  };

  // state is how an element looks that has been seen to change: numbers, and the text around them.
  const number = /-?\d*\.?\d+(?:e[-+]?\d+)?/gi;
  const state = ({e, names, text, scrolls}) => {
    const parts = [...names].map(name => e.getAttribute(name) ?? '');
    const says = text ? e.textContent.slice(0, 300) : '', numbers = [says.length];
    if (scrolls) numbers.push(e.scrollLeft, e.scrollTop);
    const shape = [...parts, says].join('|').slice(0, 2000).replace(number, n => { if (numbers.length < maxNumbers) numbers.push(+n); return '#'; });
    return {shape, numbers};
  };

  // What comes again is as it was a while ago, as near as its steps are long, for a second and for as long as it takes. What
  // gets nearer to an end does so in one direction.
  const gap = (a, b, d) => Math.abs((a?.numbers[d] ?? 0) - (b?.numbers[d] ?? 0));
  const step = (states, i, d) => Math.max(i > 0 ? gap(states[i], states[i - 1], d) : 0, i + 1 < states.length ? gap(states[i], states[i + 1], d) : 0);
  const alike = (a, b) => a.shape === b.shape && a.numbers.length === b.numbers.length;
  const comesAgain = (states, lag, least) => {
    const n = states.length, span = Math.max(lag, 1000 / tick), up = [], down = [], way = [];
    let misses = 0, steps = 0;
    for (let i = n - 1; i >= n - span; i--) {
      const is = states[i], before = states[i - 1], was = [0, -1, 1].map(by => i - lag + by).find(j => j >= 0 && alike(is, states[j]));
      if (!alike(is, before) || is.numbers.some((v, d) => v !== before.numbers[d])) steps++;
      let miss = was === undefined;
      for (let d = 0; !miss && d < is.numbers.length; d++) {
        const by = is.numbers[d] - states[was].numbers[d];
        miss = Math.abs(by) > least + 1.25 * Math.min(step(states, i, d), step(states, was, d));
        if (by > 0) up[d] = (up[d] || 0) + by; else down[d] = (down[d] || 0) - by;
        way[d] = (way[d] || 0) + gap(is, before, d);
      }
      if (miss && ++misses > span / 10) return false;
    }
    for (let d = 0; d < states[n - 1].numbers.length; d++) {
      const less = Math.min(up[d] || 0, down[d] || 0), more = Math.max(up[d] || 0, down[d] || 0);
      if (less < more / 5 && more > (way[d] || 0) + least * span) return false;
    }
    return steps >= 3;
  };
  const recurs = ({states, canvas}) => {
    for (let lag = 4; lag + Math.max(lag, 1000 / tick) < states.length; lag++) if (comesAgain(states, lag, canvas ? 1 : 1e-6)) return true;
    return false;
  };
  // nears tells what has got on in the last two seconds, and not only about.
  const nears = ({states}) => {
    const last = states.slice(-2000 / tick);
    let way = 0, far = 0;
    for (let d = 0; last.length > 1 && d < last[0].numbers.length; d++) {
      for (let i = 1; i < last.length; i++) way += gap(last[i], last[i - 1], d);
      far += gap(last[last.length - 1], last[0], d);
    }
    return far > way * 0.6;
  };

  // shown reports whether anything of an element is in the picture. What has no box of its own, as a gradient, belongs to
  // what it is in; a style sheet is everywhere.
  const shown = (e, whole, margin = 0) => {
    if (!e.isConnected) return false;
    if (/^(style|link|html|body|head)$/.test(e.localName)) return true;
    const svg = e.ownerSVGElement;
    if (!svg && !e.checkVisibility()) return false;
    const box = svg && !(e.getBoundingClientRect().width + e.getBoundingClientRect().height) ? svg : e;
    let {left, right, top, bottom} = box.getBoundingClientRect();
    for (let w = e.ownerDocument.defaultView; w && w !== window; w = w.parent) {
      const frame = attempt(() => w.frameElement.getBoundingClientRect());
      if (!frame) return true;
      [left, right, top, bottom] = [left + frame.left, right + frame.left, top + frame.top, bottom + frame.top];
    }
    if (right < left + 0.1 && bottom < top + 0.1) return !!e.firstElementChild; // moves what is in it
    const x = Math.min(margin, right - left), y = Math.min(margin, bottom - top);
    return whole || (right > -x && left < innerWidth + x && bottom > -y && top < innerHeight + y);
  };
  // near is the same for what moves, which may be on its way into the picture.
  const near = (e, whole) => shown(e, whole, 100);

  const start = whole => {
    if (running) return;
    running = true;
    lived += 1e5; // what has moved before is forgotten
    seen = performance.now();
    started = now();
    survey();
    const next = () => {
      const began = performance.now();
      live();
      if (ticks % 20 === 19) survey();
      sample(whole);
      ticks++;
      // The page's clock may stand, and its questions end: then so does this. It takes a tenth of the time at most.
      if (began - asked > 3000) { running = false; return; }
      planned = Math.max(tick, 9 * (performance.now() - began));
      setTimeout(frame, planned - 10);
    };
    // In the same frame as the page's own drawing, after it: WebGL keeps nothing for longer.
    const frame = () => {
      let done = false;
      const once = () => { if (!done) { done = true; next(); } };
      requestAnimationFrame(once);
      setTimeout(once, window === top ? 1000 : 200);
    };
    frame();
  };

  const called = e => {
    const name = e.id ? '#' + e.id : typeof e.className === 'string' && e.className.trim() ? '.' + e.className.trim().split(/\s+/)[0] : '';
    return e.localName + name;
  };

  // What is added to many that never end is one of them: snow, confetti.
  const crowd = m => {
    let n = 0;
    for (const one of movers.values()) if (one.endless && one.parent === m.e.parentNode) n++;
    return n >= 3;
  };
  // left is how long a mover is waited for at least, in milliseconds. One that never ends is noted as such; test says whether
  // there is time to look for what comes again.
  const left = (m, {loop, whole, cap}, test) => {
    const at = now();
    if (m.endless || !(m.quick || m.canvas)) return 0;
    const hold = loop && m.quick >= 3 ? tail : calm;
    const rest = Math.max(hold - (at - m.last), ticks - m.tick < 3 && at - m.last < late ? tick : 0);
    if (rest <= 0 || !near(m.e, whole)) return 0;
    const long = at - m.first > (m.blind ? Math.min(cap, 2500) : cap);
    if ((m.quick >= 3 || m.canvas) && (long || crowd(m) || (test() && recurs(m)))) {
      Object.assign(m, {endless: true, parent: m.e.parentNode, unfinished: long && !m.blind && nears(m), states: []});
      return 0;
    }
    return rest;
  };
  // runs is how long animations of scripts, and with ends those of styles and of SVG too, still run that end within the time that is
  // left for them. A script may begin one after the other: an element is waited for no longer than anything else.
  const animated = new Map(), tired = new Set();
  const runs = ({cap, ends, whole}) => {
    let most = 0;
    for (const a of document.getAnimations()) {
      const e = a.effect?.target;
      if (!ends && (savepage.styled(a) || !e || a.playState !== 'running' || !shown(e, whole))) continue;
      if (!ends && !animated.has(e)) animated.set(e, now());
      if (!ends && now() - animated.get(e) > cap) tired.add(e);
      if (tired.has(e)) continue;
      const rest = a.playState === 'running' && a.effect?.getComputedTiming().endTime - a.currentTime;
      if (a.timeline instanceof DocumentTimeline && rest > 0 && rest <= cap) most = Math.max(most, rest / (Math.abs(a.playbackRate) || 1));
    }
    for (const e of ends ? document.querySelectorAll('animate,animateTransform,animateMotion,set') : []) {
      const end = attempt(() => e.getStartTime() + e.getSimpleDuration() * (+e.getAttribute('repeatCount') || 1)) - e.ownerSVGElement?.getCurrentTime();
      if (end > 0 && end * 1000 <= cap) most = Math.max(most, end * 1000);
    }
    return most;
  };

  // judge says what moves now, and for how many milliseconds at least it is waited for.
  let tested = 0;
  const judge = (timers, how) => {
    asked = performance.now();
    const loop = opaque = !timers || timers.frame >= 0, all = [...movers.values()], due = ticks - tested >= 5, waits = [];
    if (due) tested = ticks;
    let rest = ticks < 2 && now() - started < late ? tick : 0, since = -1, n = 0;
    for (const m of all) {
      const wait = left(m, {loop, ...how}, () => due && n++ < maxTested);
      if (wait > 0) waits.push(m);
      rest = Math.max(rest, wait);
      if (m.quick && !m.endless && shown(m.e, how.whole)) since = since < 0 ? now() - m.last : Math.min(since, now() - m.last);
    }
    rest = Math.max(rest, runs(how));
    const names = list => [...new Set(list.map(m => called(m.e)))].slice(0, maxNamed);
    const endless = [...all.filter(m => m.endless && shown(m.e, how.whole)), ...[...tired].filter(e => shown(e, how.whole)).map(e => ({e}))];
    return {rest, since, waits: names(waits), endless: names(endless), unfinished: names(endless.filter(m => m.unfinished))};
  };

  return {
    // look is that of look.js, and what moves. how has the longest time for one thing, whether what is out of view counts, and
    // whether animations of styles are let to end: {cap, whole, ends}. It waits a part of the time itself.
    look: async (ms, token, watched, how) => {
      asked = performance.now();
      start(how.whole);
      let said = await savepage.look(ms, token, watched, how.whole), motion = judge(said.timers, how);
      if (motion.rest > 0) {
        for (const end = performance.now() + longest; motion.rest > 0 && performance.now() < end; motion = judge(savepage.timers(token), how)) {
          await new Promise(done => setTimeout(done, Math.min(motion.rest, tick)));
        }
        said = await savepage.look(ms, token, watched, how.whole);
      }
      return {...said, motion};
    },
  };
})();
