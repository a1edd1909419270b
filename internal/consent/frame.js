// Stands around autoconsent in its world. It makes the waits for a banner short, which are made for people, and says in a
// few words how far the search is. The page's own timers are not touched: this world has its own.
send => {
  const later = globalThis.setTimeout.bind(globalThis);
  const Observer = globalThis.MutationObserver;
  const state = {type: 'state', lifecycle: 'loading', attempts: 0, resting: false, clicks: 0};
  const tell = () => send(JSON.stringify(state));
  const ACTING = ['openPopupDetected', 'runningOptOut', 'optOutSucceeded', 'optOutFailed', 'done'];

  // Whoever waits for the page to change can be told that it has.
  const waiting = new Set();
  globalThis.MutationObserver = class {
    #inner;
    constructor(fn) { this.fn = () => fn([], this); this.#inner = new Observer(this.fn); }
    observe(...args) { waiting.add(this); this.#inner.observe(...args); }
    disconnect() { waiting.delete(this); this.#inner.disconnect(); }
  };

  // 500 ms is what autoconsent waits before it looks again, and 500 or 1000 ms between steps of a
  // rejection. Only every second look is for banners that sites have made
  // themselves, so the second follows at once, also when the page does not change any more.
  globalThis.setTimeout = (fn, ms, ...rest) => {
    if (ACTING.includes(state.lifecycle)) return later(fn, ms === 500 || ms === 1000 ? ms / 2 : ms, ...rest);
    if (ms !== 500) return later(fn, ms, ...rest);
    if (state.lifecycle !== 'started') return later(fn, 100, ...rest);
    const even = state.attempts % 2 === 0;
    if (even) { state.resting = true; tell(); }
    return later(() => {
      fn(...rest);
      if (!even) later(() => { for (const one of [...waiting]) one.fn(); }, 0);
    }, even ? 150 : 15);
  };
  globalThis.requestIdleCallback = fn => later(fn, 0);

  globalThis.autoconsentSendMessage = async message => {
    switch (message.type) {
      case 'report':
        if (message.state.lifecycle === state.lifecycle && message.state.findCmpAttempts === state.attempts && message.state.clicks === state.clicks) return;
        Object.assign(state, {lifecycle: message.state.lifecycle, attempts: message.state.findCmpAttempts, clicks: message.state.clicks, resting: false});
        tell();
        break;
      case 'init': send(JSON.stringify({type: 'init', url: message.url, main: window.top === window})); break;
      case 'eval': case 'popupFound': case 'autoconsentDone': send(JSON.stringify(message)); break;
    }
  };
}
