// Runs in the page's own world before its scripts, and notes which short timers are on: what a page does a moment later
// is part of it. Timers that follow from timers, as those of a clock or a poll do, are followed eight times deep.
token => {
  if (window !== top) return;
  const deepest = 8, longest = 1000, patience = 2000; // ms
  const now = performance.now.bind(performance), due = new Map();
  let depth = 0, beyond = false; // beyond: something works or listens where no timer is seen
  const frames = new Map(); // that are asked for: how many went before
  let step = 0;
  const follow = (name, repeats) => {
    window[name] = new Proxy(window[name], {
      apply(native, self, args) {
        const [fn, ms = 0] = args, delay = typeof ms === 'number' || typeof ms === 'string' ? Math.max(+ms || 0, 0) : 0;
        if (typeof fn !== 'function' || depth >= deepest || delay > longest) return Reflect.apply(native, self, args);
        let level = depth + 1;
        const id = Reflect.apply(native, self, [function (...given) {
          if (repeats && level < deepest) { level++; due.set(id, now() + delay); } else due.delete(id);
          const outer = depth;
          depth = level;
          try { return Reflect.apply(fn, this, given); } finally { depth = outer; }
        }, ...args.slice(1)]);
        due.set(id, now() + delay);
        return id;
      },
    });
  };
  const forget = name => {
    window[name] = new Proxy(window[name], {apply(native, self, args) { due.delete(args[0]); return Reflect.apply(native, self, args); }});
  };
  const note = (name, made = () => {}) => {
    if (!window[name]) return;
    window[name] = new Proxy(window[name], {
      construct(native, args, target) {
        beyond = true;
        const one = Reflect.construct(native, args, target);
        made(one);
        return one;
      },
    });
  };
  // A new worker may take long to begin on a busy machine: until it says something it is silent.
  const silent = new Set();
  const hear = worker => {
    const since = now(), said = () => silent.delete(since);
    silent.add(since);
    worker.addEventListener('message', said, {once: true});
    worker.addEventListener('error', said, {once: true});
  };
  // Frames that follow from frames count up: an endless loop is soon far up, a single frame is not.
  const draw = window.requestAnimationFrame, undraw = window.cancelAnimationFrame;
  window.requestAnimationFrame = new Proxy(draw, {
    apply(native, self, args) {
      const fn = args[0], mine = step;
      if (typeof fn !== 'function') return Reflect.apply(native, self, args);
      const id = Reflect.apply(native, self, [function (at) {
        frames.delete(id);
        const outer = step;
        step = mine + 1;
        try { return Reflect.apply(fn, this, [at]); } finally { step = outer; }
      }]);
      frames.set(id, mine);
      return id;
    },
  });
  window.cancelAnimationFrame = new Proxy(undraw, {apply(native, self, args) { frames.delete(args[0]); return Reflect.apply(native, self, args); }});
  follow('setTimeout', false);
  follow('setInterval', true);
  forget('clearTimeout');
  forget('clearInterval');
  note('Worker', hear);
  note('SharedWorker');
  note('WebSocket');
  note('EventSource');
  // The world beside asks by an event that only it knows, and is answered before its question returns.
  addEventListener(token, () => {
    const left = [...due.values()].map(at => at - now());
    const heard = silent.size ? Math.max(...silent) + patience - now() : 0;
    dispatchEvent(new CustomEvent(token + '!', {detail: {left, beyond, heard, frame: frames.size ? Math.min(...frames.values()) : -1}}));
  });
}
