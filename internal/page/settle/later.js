// Runs in the page's own world before its scripts. It notes what timers.js does not follow: the first timers of a document
// that pass within two seconds, which may be the end of a preloader or the way to another address, and requests whose
// answers no script looks at.
token => {
  const own = globalThis;
  if (window !== top) return;
  const now = performance.now.bind(performance), soon = 2200, maxNoted = 200, maxAside = 100; // soon in ms
  const attempt = act => { try { return act(); } catch { return undefined; } };
  // When the document began to wait for what comes later: with its load event, until that has come now.
  let began = Infinity;
  addEventListener('load', () => { began = now(); }, {once: true, capture: true});
  const due = new Map();
  // A script that goes to another address names it so.
  const goes = fn => /\blocation\b|\.(submit|click)\(|\bnavigat(e|ion)\b|\brouter\b/.test(attempt(() => Function.prototype.toString.call(fn)) || '');
  const note = (id, fn, ms) => {
    if (due.size < maxNoted) due.set(id, {at: now() + ms, goes: typeof fn === 'string' ? /location|submit/.test(fn) : goes(fn)});
  };
  const follow = (name, repeats) => {
    own[name] = new Proxy(own[name], {
      apply(native, self, args) {
        const [fn, ms = 0] = args, delay = typeof ms === 'number' || typeof ms === 'string' ? +ms || 0 : 0;
        if (delay <= 50 || delay > soon || now() - began > soon || typeof fn !== 'function' && typeof fn !== 'string') return Reflect.apply(native, self, args);
        let call = fn;
        if (typeof fn === 'function') call = function (...given) {
          const noted = due.get(id);
          if (repeats && noted?.goes) noted.at = now() + delay; else due.delete(id);
          return Reflect.apply(fn, this, given);
        };
        const id = Reflect.apply(native, self, [call, ...args.slice(1)]);
        note(id, fn, delay);
        return id;
      },
    });
  };
  const forget = name => {
    own[name] = new Proxy(own[name], {apply(native, self, args) { due.delete(Number(args[0])); return Reflect.apply(native, self, args); }});
  };
  // What is sent to outlive the page, and what can not be read, is for others. The answer to a question may be used all the same.
  const aside = new Map();
  const address = what => new URL(typeof what === 'string' ? what : what.url || String(what), document.baseURI);
  const sent = (what, how) => {
    const of = name => how?.[name] ?? what?.[name];
    const unread = of('mode') === 'no-cors', outlives = of('keepalive') && !/^(get|head)?$/i.test(of('method') || '');
    if (!unread && !outlives || aside.size >= maxAside) return;
    const at = address(what);
    at.hash = '';
    aside.set(at.href, true);
  };
  own.fetch = new Proxy(own.fetch, {apply(native, self, args) { attempt(() => sent(args[0], args[1])); return Reflect.apply(native, self, args); }});
  follow('setTimeout', false);
  follow('setInterval', true);
  forget('clearTimeout');
  forget('clearInterval');
  // first is the time that is left to the first of some timers, as far as they pass soon.
  const first = list => {
    const at = now(), last = Math.min(began, at) + soon;
    const left = list.filter(t => t.at <= last && t.at > at - 1000).map(t => Math.max(0, t.at - at));
    return left.length ? Math.min(...left) : -1;
  };
  addEventListener(token, () => {
    const all = [...due.values()];
    dispatchEvent(new CustomEvent(token + '+', {detail: {soon: first(all), goes: first(all.filter(t => t.goes)), aside: [...aside.keys()]}}));
  });
}
