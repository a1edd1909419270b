// Stands around autoconsent in its world. It makes the waits for a banner short, which are made for people, and says in a
// few words how far the search is. The page's own timers are not touched: this world has its own.
send => {
  const later = globalThis.setTimeout.bind(globalThis);
  let inner; // autoconsent's own state
  const state = {type: 'state', lifecycle: 'loading', attempts: 0, resting: false, clicks: 0};
  const tell = () => send(JSON.stringify(state));
  let changed = false; // the document, since this look at it began
  let passed = 0; // looks in a row that were not for banners that sites have made themselves
  const ACTING = ['openPopupDetected', 'runningOptOut', 'optOutSucceeded', 'optOutFailed', 'done'];

  // 500 ms is what autoconsent waits before it looks again, once the page has changed, and between steps of a rejection.
  // Only every second look is for banners that sites have made themselves; here every one is, but for those that were passed.
  // 1000 ms is its patience with an answer of ours, which is short when many pages are captured at once.
  globalThis.setTimeout = (fn, ms, ...rest) => {
    if (ACTING.includes(state.lifecycle)) return later(fn, ms === 500 ? 250 : ms, ...rest);
    if (ms !== 500) return later(fn, ms === 1000 ? 5000 : ms, ...rest);
    if (state.lifecycle === 'started') {
      inner.findCmpAttempts |= 1;
      state.resting = !passed;
      if (state.resting) tell();
    }
    return later(fn, 50, ...rest);
  };
  const Observer = globalThis.MutationObserver;
  globalThis.MutationObserver = class extends Observer {
    constructor(fn) {
      super((...args) => {
        if (state.resting) {
          state.resting = false;
          tell();
        }
        fn(...args);
      });
    }
  };
  // Each look tries the rules first. A banner that comes after that and before the search for banners of the site's own may
  // be one that a rule knows: when the document has changed in between, the rules are tried again.
  const watcher = new Observer(() => { changed = true; });
  watcher.observe(document, {subtree: true, childList: true, attributes: true});
  const unchanged = () => !watcher.takeRecords().length && !changed;
  const walker = document.createTreeWalker.bind(document);
  document.createTreeWalker = (...args) => {
    passed = unchanged() ? 0 : (passed + 1) % 3; // a page that changes all the time is searched nevertheless
    return passed ? {nextNode: () => null} : walker(...args);
  };
  globalThis.requestIdleCallback = fn => later(fn, 0);

  globalThis.autoconsentSendMessage = async message => {
    switch (message.type) {
      case 'report':
        inner = message.state;
        if (inner.findCmpAttempts !== state.attempts) {
          watcher.takeRecords();
          changed = false;
        }
        if (inner.lifecycle === 'started' && !inner.findCmpAttempts) inner.findCmpAttempts = 1;
        if (inner.lifecycle === state.lifecycle && inner.findCmpAttempts === state.attempts && inner.clicks === state.clicks) return;
        Object.assign(state, {lifecycle: inner.lifecycle, attempts: inner.findCmpAttempts, clicks: inner.clicks, resting: false});
        tell();
        break;
      case 'init': send(JSON.stringify({type: 'init', url: message.url, main: window.top === window})); break;
      case 'eval': case 'popupFound': case 'autoconsentDone': send(JSON.stringify(message)); break;
    }
  };
}
