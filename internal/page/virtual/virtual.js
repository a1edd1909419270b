// Runs first in every document whose time may be virtual. Frames come by the browser's own clock: from the moment on at
// which the page's clock is another one, what waits for a frame is called by that, sixty times a second.
token => {
  const real = requestAnimationFrame.bind(window), timer = setTimeout.bind(window);
  let on = false, last = 0, planned = false, waiting = new Map(), called = new Map();
  const call = now => {
    planned = false;
    [called, waiting] = [waiting, new Map()];
    for (const [id, fn] of called) {
      if (!called.delete(id)) continue;
      try { fn(now); } catch (e) { reportError(e); }
    }
  };
  const plan = () => {
    if (planned) return;
    planned = true;
    if (on) timer(() => call(performance.now()), 1000 / 60); else real(now => { if (!on) call(now); });
  };
  window.requestAnimationFrame = function requestAnimationFrame(fn) {
    if (typeof fn !== 'function') throw new TypeError("Failed to execute 'requestAnimationFrame' on 'Window': parameter 1 is not of type 'Function'.");
    waiting.set(++last, fn);
    plan();
    return last;
  };
  window.cancelAnimationFrame = function cancelAnimationFrame(id) { waiting.delete(id); called.delete(id); };
  addEventListener(token, () => { on = true; planned = false; if (waiting.size) plan(); }, {once: true});
}
