// Finds the element that is shown. Runs beside the page's scripts.
if (!globalThis.savepageAct) globalThis.savepageAct = (() => {
  const sleep = ms => new Promise(done => setTimeout(done, ms));
  // frame waits for the next picture of the page, or a little longer than one takes.
  const frame = () => Promise.race([new Promise(done => requestAnimationFrame(done)), sleep(100)]);

  const drawn = e => { const r = e.getBoundingClientRect(); return r.width > 0 && r.height > 0 ? r : null; };
  const box = selector => {
    for (const e of document.querySelectorAll(selector)) {
      const r = drawn(e);
      if (r && e.checkVisibility({visibilityProperty: true})) return {e, r};
    }
    return null;
  };
  const place = found => found && {x: found.r.left + scrollX, y: found.r.top + scrollY, width: found.r.width, height: found.r.height};

  return {
    // find waits at most ms for a visible element and says where it stands in the document.
    find: async (selector, ms) => {
      try { document.querySelector(selector); } catch (e) { return {wrong: String(e.message)}; }
      for (const end = performance.now() + ms; ;) {
        const found = box(selector);
        if (found || performance.now() >= end) return place(found);
        await sleep(Math.min(25, ms));
      }
    },
    // dress brings the client's style sheet and what it hides to their own again.
    dress: () => globalThis.savepageDress?.(),
    // uncover scrolls whatever an element scrolls in, but not the page.
    uncover: async selector => {
      const found = box(selector);
      if (!found) return null;
      found.e.scrollIntoView({block: 'nearest', inline: 'nearest', behavior: 'instant'});
      scrollTo({left: 0, top: 0, behavior: 'instant'});
      await frame();
      return place(box(selector));
    },
  };
})();
