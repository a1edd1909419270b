// Runs in the page's own world before its scripts, and has the page be in a window of a size; 0 is that of the browser. before is
// how many pages the window has had besides, as far as the page can tell.
(width, height, before) => {
  // What the browser says itself is 0 until it has told the page, and the size of the window that it believes to have then: to
  // change that makes it draw once more.
  for (const [name, value] of [['outerWidth', width], ['outerHeight', height]]) {
    const is = Object.getOwnPropertyDescriptor(self, name);
    if (value && is?.get) Object.defineProperty(self, name, {...is, get: new Proxy(is.get, {apply: () => value})});
  }
  const visits = Object.getOwnPropertyDescriptor(History.prototype, 'length');
  if (before && visits?.get) {
    const { apply } = Reflect, { min } = Math, most = 50; // of them the browser keeps
    const get = new Proxy(visits.get, {apply: (real, it, args) => min(apply(real, it, args) + before, most)});
    Object.defineProperty(History.prototype, 'length', {...visits, get});
  }
  // A picture of more than the window makes the browser tell of a new size that is the old one: who draws anew at that would be
  // shown in the middle of it. The page hears of sizes that change, and of what it says itself.
  const sized = (on, size) => {
    let last = size();
    on?.addEventListener('resize', e => {
      if (e.isTrusted && size() === last) e.stopImmediatePropagation();
      last = size();
    });
  };
  sized(self, () => innerWidth + ' ' + innerHeight);
  sized(self.visualViewport, () => visualViewport.width + ' ' + visualViewport.height);
}
