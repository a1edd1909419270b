// Finds elements, and shows them where a click or a picture needs them. Runs beside the page's scripts.
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
    // aim brings an element into view and says where its middle is seen.
    aim: async selector => {
      const found = box(selector);
      if (!found) return null;
      const before = scrollY;
      found.e.scrollIntoView({block: 'center', inline: 'center', behavior: 'instant'});
      await frame();
      const r = [...found.e.getClientRects()].find(r => r.width > 0 && r.height > 0) || found.e.getBoundingClientRect(), v = visualViewport;
      return {x: r.left + r.width / 2 - v.offsetLeft, y: r.top + r.height / 2 - v.offsetTop, before, for: scrollY};
    },
    // backFrom takes the page back to where it was before it was scrolled for a click, if it still stands there.
    backFrom: async (there, before) => {
      if (scrollY !== there || there === before) return;
      scrollTo({left: 0, top: before, behavior: 'instant'});
      await frame();
    },
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
