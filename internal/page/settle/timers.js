// Runs in the page's own world, and in each of its workers, before its scripts. It notes which short timers are on: what a
// page does a moment later is part of it. Timers that follow from timers, as those of a clock or a poll do, are followed
// eight times deep. From the second on they are steps, which count for longer while they move something.
token => {
  const own = globalThis;
  if (own.window && window !== top) return;
  void own.WorkerGlobalScope?.prototype; // in a worker its functions come with the first look at it
  const maxDepth = 8, maxDelay = 1000, maxLate = 10000, maxWorkers = 50, maxTalk = 40; // maxDelay and maxLate in ms
  const now = performance.now.bind(performance), due = new Map(), steps = new Map(), later = new Map(), once = new Map();
  let depth = 0, beyond = false, held = false, ran = -1; // beyond: something works or listens where no timer is seen
  const frames = new Map(); // that are asked for: how many went before
  let step = 0;
  const follow = (name, {repeats = false, key = id => id} = {}) => {
    if (!own[name]) return;
    own[name] = new Proxy(own[name], {
      apply(native, self, args) {
        const [fn, ms = 0] = args, delay = typeof ms === 'number' || typeof ms === 'string' ? Math.max(+ms || 0, 0) : 0;
        if (typeof fn !== 'function') return Reflect.apply(native, self, args);
        let level = depth;
        const plan = id => {
          if (delay > maxDelay) later.set(id, now() + delay);
          else if (level < maxDepth) due.set(id, now() + delay);
          if (delay <= maxDelay && level > 1) steps.set(id, now() + delay);
          level++;
        };
        const id = Reflect.apply(native, self, [function (...given) {
          if (held) return;
          gone(key(id));
          if (repeats) plan(key(id));
          const outer = depth;
          depth = level;
          try { return Reflect.apply(fn, this, given); } finally { depth = outer; ran = now(); }
        }, ...args.slice(1)]);
        plan(key(id));
        if (delay > maxDelay && delay <= maxLate && !repeats && !depth) once.set(key(id), now() + delay);
        return id;
      },
    });
  };
  const gone = id => { for (const list of [due, steps, later, once]) list.delete(id); };
  const forget = (name, key = id => id) => {
    if (!own[name]) return;
    own[name] = new Proxy(own[name], {apply(native, self, args) { gone(key(Number(args[0]))); return Reflect.apply(native, self, args); }});
  };
  const note = (name, made) => {
    if (!own[name]) return;
    own[name] = new Proxy(own[name], {
      construct(native, args, target) {
        const one = Reflect.construct(native, args, target);
        if (made) made(one, args); else beyond = true;
        return one;
      },
    });
  };
  // Workers are asked apart, once they have begun: here it is known which were made. What goes between them and those who
  // made them is counted at both ends and followed a while: then it is chatter.
  const workers = [];
  let said = 0, heard = 0, talks = 0, talk = 0;
  const talked = () => { if (++talks <= maxTalk) talk = now(); };
  const hear = (worker, [address]) => {
    let url = '' + address;
    try { url = new URL(url, own.document?.baseURI || location.href).href; } catch {}
    const made = {url, at: now(), told: 0, heard: 0, worker};
    if (workers.length < maxWorkers) workers.push(made);
    worker.addEventListener('message', () => { made.heard++; talked(); });
    worker.addEventListener('error', () => { const at = workers.indexOf(made); if (at >= 0) workers.splice(at, 1); }, {once: true});
  };
  const speaks = (place, spoken) => {
    place.postMessage = new Proxy(place.postMessage, {
      apply(native, self, args) {
        const result = Reflect.apply(native, self, args);
        spoken(self);
        talked();
        return result;
      },
    });
  };
  if (own.Worker) speaks(Worker.prototype, worker => { const made = workers.find(w => w.worker === worker); if (made) made.told++; });
  if (!own.window) {
    speaks(own, () => said++);
    addEventListener('message', () => { heard++; talked(); });
  }
  // Frames that follow from frames count up: an endless loop is soon far up, a single frame is not.
  own.requestAnimationFrame = new Proxy(own.requestAnimationFrame, {
    apply(native, self, args) {
      const fn = args[0], mine = step;
      if (typeof fn !== 'function') return Reflect.apply(native, self, args);
      const id = Reflect.apply(native, self, [function (at) {
        if (held) return;
        frames.delete(id);
        const outer = step;
        step = mine + 1;
        try { return Reflect.apply(fn, this, [at]); } finally { step = outer; ran = now(); }
      }]);
      frames.set(id, mine);
      return id;
    },
  });
  own.cancelAnimationFrame = new Proxy(own.cancelAnimationFrame, {apply(native, self, args) { frames.delete(args[0]); return Reflect.apply(native, self, args); }});
  follow('setTimeout');
  follow('setInterval', {repeats: true});
  forget('clearTimeout');
  forget('clearInterval');
  // What is kept for an idle moment is due at once; its numbers are not those of timers.
  const idle = id => 'idle ' + id;
  follow('requestIdleCallback', {key: idle});
  forget('cancelIdleCallback', idle);
  note('Worker', hear);
  note('SharedWorker');
  note('WebSocket');
  note('EventSource');
  // To draw more of the page than the window shows, the browser tells the page of a new size, which is the one it has.
  let deaf = false;
  if (own.window) for (const place of [own, own.visualViewport]) place?.addEventListener('resize', e => { if (deaf) e.stopImmediatePropagation(); }, true);
  addEventListener(token + '-', () => { deaf = true; });
  // No timer and no frame does anything any more when the page is to stand as it is.
  addEventListener(token + '.', () => { held = true; });
  // Who asks does so by an event that only it knows, and is answered before its question returns.
  addEventListener(token, () => {
    const left = [...due.values()].map(at => at - now()), next = [...steps.values()].map(at => at - now());
    const made = workers.map(w => ({url: w.url, age: now() - w.at, told: w.told, heard: w.heard}));
    dispatchEvent(new CustomEvent(token + '!', {detail: {
      left, next: next.length ? Math.max(0, Math.min(...next)) : -1, later: later.size, late: [...once.values()].map(at => at - now()), ran: ran < 0 ? -1 : now() - ran, beyond, workers: made, said, heard, silence: talks ? now() - talk : -1,
      frame: frames.size ? Math.min(...frames.values()) : -1,
    }}));
  });
}
