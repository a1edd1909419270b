// Runs in the page's own world, in every document and worker, before any other script. A socket that is not wanted goes
// nowhere; the page sees one that fails, as with a server that is away.
(all, patterns, nowhere) => {
  const expressions = patterns.map(p => new RegExp(p));
  const {apply, construct, defineProperty} = Reflect, test = RegExp.prototype.test, encode = encodeURIComponent, URL = globalThis.URL;
  const unwanted = text => {
    if (all) return true;
    for (const e of expressions) if (apply(test, e, [text])) return true;
    return false;
  };
  const absolute = given => {
    const url = new URL(given, location.href);
    url.protocol = url.protocol.replace(/^http/, 'ws');
    url.hash = '';
    return url.href;
  };
  for (const name of ['WebSocket', 'WebSocketStream']) {
    const own = globalThis[name];
    if (!own) continue;
    globalThis[name] = new Proxy(own, {construct(target, args, created) {
      let url;
      try { url = absolute(args[0]); } catch { return construct(target, args, created); }
      if (!unwanted(url)) return construct(target, args, created);
      const socket = construct(target, [nowhere + (all ? 'r' : 'u') + encode(url), ...args.slice(1)], created);
      defineProperty(socket, 'url', {value: url});
      return socket;
    }});
    own.prototype.constructor = globalThis[name];
  }
  // Its requests cannot be looked at. Pages that have a use for one do without where there is none.
  delete globalThis.SharedWorker;
}
