// Finds what a step needs, brings it into view, and says where it is seen or why it cannot be used. Runs beside the page's scripts.
if (!globalThis.savepageSteps) globalThis.savepageSteps = (() => {
  const maxRoots = 500;
  const sleep = ms => new Promise(done => setTimeout(done, ms));
  // frame waits for the next picture of the page, or a little longer than one takes.
  const frame = () => Promise.race([new Promise(done => requestAnimationFrame(done)), sleep(100)]);
  const attempt = act => { try { return act(); } catch { return null; } };

  // inside is the document of a frame, if it is of the same origin; around is the frame that an element's document is in.
  const inside = e => e.localName === 'iframe' || e.localName === 'frame' ? attempt(() => e.contentDocument) : null;
  const around = e => attempt(() => e.ownerDocument.defaultView.frameElement);
  const hostOf = e => e.getRootNode().host;

  // roots are the document, the open shadow trees, and the documents of frames of the same origin.
  function* roots() {
    const all = [document];
    for (const root of all) {
      yield root;
      for (const e of root.querySelectorAll('*')) {
        const more = e.shadowRoot || inside(e);
        if (more && all.length < maxRoots) all.push(more);
      }
    }
  }

  // seen is whether an element is drawn, and the frames that it is in.
  const seen = e => {
    const r = e.getBoundingClientRect();
    if (!(r.width > 0 && r.height > 0) || !e.checkVisibility({visibilityProperty: true})) return false;
    const outer = around(e);
    return !outer || seen(outer);
  };

  // first is the first element of a selector that is seen, or one that is not.
  const first = selector => {
    let hidden = null;
    for (const root of roots()) {
      for (const e of root.querySelectorAll(selector)) {
        if (seen(e)) return {e};
        hidden ||= e;
      }
    }
    return {hidden};
  };
  const missing = hidden => ({why: hidden ? 'the element that matches is not visible' : 'no element matches'});

  // named is how a message shows an element.
  const named = e => {
    let text = '<' + e.localName;
    for (const name of ['id', 'class', 'name']) if (e.getAttribute(name)) text += ` ${name}="${e.getAttribute(name)}"`;
    return (text.length > 80 ? text.slice(0, 80) + '…' : text) + '>';
  };

  const within = (e, outer) => {
    for (let n = e; n; n = n.assignedSlot || n.parentElement || hostOf(n)) if (n === outer) return true;
    return false;
  };

  // hit is the element that gets a click at a point of a document.
  const hit = (root, x, y) => {
    let e = root.elementFromPoint(x, y);
    while (e?.shadowRoot) {
      const inner = e.shadowRoot.elementFromPoint(x, y);
      if (!inner || inner === e) break;
      e = inner;
    }
    return e;
  };
  const takes = (e, got) => !!got && (within(got, e) || got.closest('label')?.control === e ||
    (getComputedStyle(e).pointerEvents === 'none' && within(e, got)));

  // corner is where the document in a frame begins, in the document around it.
  const corner = outer => {
    const r = outer.getBoundingClientRect(), style = getComputedStyle(outer), px = v => parseFloat(v) || 0;
    return {x: r.left + outer.clientLeft + px(style.paddingLeft), y: r.top + outer.clientTop + px(style.paddingTop)};
  };

  // aim is a point of an element where it gets a click, in pixels of the page's window; or what covers it there.
  const aim = e => {
    const r = [...e.getClientRects()].find(r => r.width > 0 && r.height > 0) || e.getBoundingClientRect();
    const view = e.ownerDocument.defaultView;
    const left = Math.max(r.left, 0), right = Math.min(r.right, view.innerWidth), top = Math.max(r.top, 0), bottom = Math.min(r.bottom, view.innerHeight);
    if (right <= left || bottom <= top) return {why: 'the element cannot be brought into view'};
    let over = null;
    for (const [fx, fy] of [[0.5, 0.5], [0.25, 0.25], [0.75, 0.75], [0.25, 0.75], [0.75, 0.25]]) {
      let x = left + (right - left) * fx, y = top + (bottom - top) * fy, inner = e, got = hit(e.ownerDocument, x, y), clear = takes(e, got);
      for (let outer = around(inner); outer; outer = around(inner)) {
        const at = corner(outer);
        x += at.x;
        y += at.y;
        if (clear) clear = hit(outer.ownerDocument, x, y) === outer || (got = hit(outer.ownerDocument, x, y), false);
        inner = outer;
      }
      if (clear) return {x: x - visualViewport.offsetLeft, y: y - visualViewport.offsetTop};
      over ||= got;
    }
    return {why: over ? 'the element is covered by ' + named(over) : 'the element cannot be reached', x: 0, y: 0};
  };

  const disabled = e => e.matches(':disabled') || !!e.closest('[aria-disabled="true"]');
  const moved = (a, b) => Math.abs(a.left - b.left) > 0.5 || Math.abs(a.top - b.top) > 0.5 || Math.abs(a.width - b.width) > 0.5 || Math.abs(a.height - b.height) > 0.5;

  // The step that is being done, when it began, and how the page was scrolled then.
  let now = {};
  const begin = id => { if (now.id !== id) now = {id, tries: 0, since: performance.now(), before: scrollY}; };
  // bring scrolls an element into view: to the middle, and to other places where it is covered there.
  const bring = e => e.scrollIntoView({block: ['center', 'end', 'start'][now.tries++ % 3], inline: 'center', behavior: 'instant'});

  // still waits until an element stands where it stood two pictures before. What moves all the time is taken as it is.
  const still = async e => {
    const from = e.getBoundingClientRect();
    await frame();
    await frame();
    return !moved(from, e.getBoundingClientRect()) || performance.now() - now.since > 1000;
  };

  // usable brings an element to where it can be used.
  const usable = async (selector, enabled) => {
    const {e, hidden} = first(selector);
    if (!e) return missing(hidden);
    if (enabled && disabled(e)) return {why: 'the element is disabled'};
    if (aim(e).why) {
      bring(e);
      await frame();
    }
    if (!await still(e)) return {why: 'the element does not stop moving'};
    return e.isConnected && seen(e) ? {e} : {why: 'the element went away'};
  };

  const choose = (e, value) => {
    const same = (a, b) => a.trim() === b.trim();
    const option = [...e.options].find(o => o.value === value) || [...e.options].find(o => same(o.label, value) || same(o.text, value));
    if (!option) return {why: 'the element has no option with this value or text'};
    e.value = option.value;
    option.selected = true;
    return told(e);
  };
  const told = e => {
    for (const type of ['input', 'change']) e.dispatchEvent(new Event(type, {bubbles: true, composed: true}));
    return {ok: true, done: true};
  };
  const tick = (e, value) => {
    const wanted = value === 'true' || value === 'on' || value === '1';
    if (!wanted && value !== '' && value !== 'false' && value !== 'off' && value !== '0') return {why: 'the value of a box to tick must be true or false'};
    if (e.checked !== wanted) e.click();
    return e.checked === wanted ? {ok: true, done: true} : {why: 'the element does not change'};
  };
  const focused = e => {
    e.focus();
    return e.getRootNode().activeElement === e || within(e.getRootNode().activeElement, e);
  };

  // fill puts a value into a field that is not written into, and selects what is in one that is.
  const fill = (field, value) => {
    const e = field.localName === 'label' && field.control || field, type = e.localName === 'input' ? e.type : '';
    if (e.localName === 'select') return choose(e, value);
    if (type === 'checkbox' || type === 'radio') return tick(e, value);
    if (type === 'file') return {why: 'the element is a field for files'};
    if (['button', 'submit', 'reset', 'image', 'hidden'].includes(type)) return {why: 'the element is a button'};
    const written = type || e.localName === 'textarea';
    if (!written && !e.isContentEditable) return {why: 'the element ' + named(e) + ' is no field'};
    if (e.readOnly) return {why: 'the element is read-only'};
    if (['color', 'date', 'datetime-local', 'month', 'range', 'time', 'week'].includes(type)) {
      e.value = value;
      return e.value === value || (type === 'color' && e.value === value.toLowerCase()) ? told(e) : {why: 'the element does not take this value'};
    }
    if (!focused(e)) return {why: 'the element does not take the focus'};
    if (written) e.select();
    else e.ownerDocument.getSelection().selectAllChildren(e);
    return {ok: true, lines: type === '', filled: written ? e.value !== '' : e.textContent !== ''};
  };

  const plain = text => text.normalize('NFKC').toLowerCase().replace(/[\u00ad\u200b-\u200d\u2060\ufeff]/g, '').replace(/\s+/g, ' ').trim();
  // texts are those that the page shows, in each of its documents and trees.
  function* texts() {
    for (const root of roots()) {
      if (root.nodeType !== Node.DOCUMENT_NODE) {
        for (const e of root.children) if (e.innerText) yield e.innerText;
      } else if (root === document || seen(root.defaultView.frameElement)) {
        yield root.body ? root.body.innerText : root.documentElement?.textContent || '';
      }
      for (const e of root.querySelectorAll('input,textarea')) {
        if (!['password', 'hidden', 'checkbox', 'radio', 'file'].includes(e.type) && seen(e)) yield e.value || e.placeholder || '';
      }
    }
  }
  const shows = text => {
    const wanted = plain(text);
    for (const one of texts()) if (plain(one).includes(wanted)) return true;
    return false;
  };

  const needs = {
    seen: ({selector}) => { const {e, hidden} = first(selector); return e ? {ok: true} : missing(hidden); },
    gone: ({selector}) => first(selector).e ? {why: 'an element that matches is visible'} : {ok: true},
    text: ({text}) => shows(text) ? {ok: true} : {why: 'the page does not show it'},
    point: async ({selector}) => {
      const is = await usable(selector, true);
      if (!is.e) return is;
      const at = aim(is.e);
      return {ok: !at.why, ...at, before: now.before, for: scrollY};
    },
    over: async ({selector}) => {
      const is = await usable(selector, false);
      if (!is.e) return is;
      const at = aim(is.e);
      return {ok: !at.why, ...at};
    },
    field: async ({selector, value}) => { const is = await usable(selector, true); return is.e ? {...fill(is.e, value), before: now.before, for: scrollY} : is; },
    focus: async ({selector}) => {
      const is = await usable(selector, true);
      if (!is.e) return is;
      return focused(is.e) ? {ok: true, before: now.before, for: scrollY} : {why: 'the element does not take the focus'};
    },
    view: async ({selector}) => {
      const {e, hidden} = first(selector);
      if (!e) return missing(hidden);
      e.scrollIntoView({block: 'center', inline: 'center', behavior: 'instant'});
      await frame();
      return {ok: true};
    },
  };

  return {
    // look waits at most ms until what a step needs is there.
    look: async (need, what, ms) => {
      if (what.selector) {
        try { document.querySelector(what.selector); } catch { return {wrong: true}; }
      }
      begin(what.id);
      for (const end = performance.now() + ms; ;) {
        const began = performance.now(), is = await needs[need](what), left = end - performance.now();
        if (is.ok || left <= 0) return is;
        await sleep(Math.min(Math.max(25, 3 * (performance.now() - began)), left));
      }
    },
    // middle is the middle of an element, whatever covers it.
    middle: selector => {
      const {e} = first(selector);
      if (!e) return null;
      const r = e.getBoundingClientRect();
      return {x: r.left + r.width / 2 - visualViewport.offsetLeft, y: r.top + r.height / 2 - visualViewport.offsetTop, before: now.before, for: scrollY};
    },
    // window is the middle of the page's window.
    window: () => ({x: innerWidth / 2, y: innerHeight / 2}),
    // backFrom takes the page back to where it was before it was scrolled for a step, if it still stands there.
    backFrom: async (there, before) => {
      if (scrollY !== there || there === before) return;
      scrollTo({left: 0, top: before, behavior: 'instant'});
      await frame();
    },
    // watch notes scrolling from now on, wherever on the page; rest waits at most ms until it has come and ended.
    watch: () => {
      now.scrolled = 0;
      now.watching ||= (addEventListener('scroll', () => { now.scrolled = performance.now(); }, {capture: true, passive: true}), true);
    },
    rest: async ms => {
      for (const begun = performance.now(), end = begun + ms; performance.now() < end; await frame()) {
        if (performance.now() - (now.scrolled || begun + 300) > 100) return;
      }
    },
    // missing are the texts, by their index, that the page does not show.
    missing: list => {
      const left = new Map(list.map((text, i) => [i, plain(text)]));
      for (const one of texts()) {
        const shown = plain(one);
        for (const [i, text] of left) if (shown.includes(text)) left.delete(i);
        if (!left.size) break;
      }
      return [...left.keys()];
    },
  };
})();
