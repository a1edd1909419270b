// Says what is missing or unfinished where a reader of the picture would look. Runs beside the page's scripts and changes nothing.
if (!globalThis.savepageWitness) globalThis.savepageWitness = (() => {
  const most = 30000, large = 2500, edge = 4; // elements that are looked at; pixels of a part that leaves a hole; pixels at the rim of a picture
  function* elements(tree = document) {
    for (const e of tree.querySelectorAll('*')) {
      yield e;
      if (e.shadowRoot) yield* elements(e.shadowRoot);
    }
  }
  const seen = e => e.checkVisibility({opacityProperty: true, visibilityProperty: true});
  const inside = (r, area) => {
    const x = area.X - (area.Viewport ? 0 : scrollX), y = area.Y - (area.Viewport ? 0 : scrollY);
    return r.right > x + edge && r.left < x + area.Width - edge && r.bottom > y + edge && r.top < y + area.Height - edge;
  };

  const coming = i => (i.currentSrc || i.src) ? !i.complete : [...i.attributes].some(a => a.name.startsWith('data-') && /src/.test(a.name));
  const pictures = area => [...document.images].filter(i => {
    if (!coming(i)) return false;
    const r = i.getBoundingClientRect();
    return r.width > 1 && r.height > 1 && inside(r, area) && seen(i);
  }).length;

  // trees are those that can be seen into: the document, open shadow trees, frames of the same origin.
  const attempt = act => { try { return act(); } catch { return undefined; } };
  const trees = () => {
    const all = [document];
    for (const tree of all) {
      for (const e of tree.querySelectorAll('*')) {
        if (e.shadowRoot) all.push(e.shadowRoot);
        const inner = /^i?frame$/.test(e.localName) && attempt(() => e.contentDocument);
        if (inner) all.push(inner);
      }
    }
    return all;
  };
  const shown = (e, area) => e.checkVisibility() && (e.ownerDocument !== document || inside(e.getBoundingClientRect(), area));
  // near is the same for what moves, which may be on its way into the picture.
  const near = (e, area) => {
    const {left, right, top, bottom, width, height} = e.getBoundingClientRect();
    return e.checkVisibility() && (e.ownerDocument !== document || inside({left: left - width, right: right + width, top: top - height, bottom: bottom + height}, area));
  };

  // moves are the animations of something in the picture that run: those that have an end and have not come to it and, of a page
  // that is to stand still, all. What a script is about to do with a part that does not move is not known.
  const moves = (all, area, stands) => all.flatMap(tree => tree.getAnimations()).filter(a => {
    const e = a.effect?.target;
    const midway = stands && globalThis.savepageStill?.midway(a);
    if (!midway && a.playState !== 'running' || !e || !near(e, area)) return false;
    return stands || a.timeline instanceof DocumentTimeline && a.effect.getComputedTiming().endTime < Infinity;
  }).length;

  // restless is what moves by itself on a page that is to stand still: videos, running texts, the place where one writes, drawings
  // that are not as they will be.
  const begins = (e, time) => /^[\d.]+(s|ms)?$|^[\w-]+\.(begin|end)/.test(time) || time === 'indefinite' && attempt(() => e.getStartTime()) !== undefined;
  const ending = e => e.getAttribute('fill') === 'freeze' && (e.getAttribute('begin') || '0s').split(';').some(t => begins(e, t.trim())) && !e.hasAttribute('by')
    && !['repeatCount', 'repeatDur', 'dur'].some(name => e.getAttribute(name) === 'indefinite') && e.getAttribute('additive') !== 'sum' && !!e.targetElement;
  const writes = tree => {
    const active = tree.activeElement, late = !globalThis.savepageStill && active === tree.body && tree.querySelector('[autofocus]'), e = late || active;
    const closed = e => e !== tree.body && !/^(html|body|i?frame|frameset|object|embed)$/.test(e.localName) && !e.shadowRoot && e.tabIndex < 0 && !e.isContentEditable; // what has the focus is in it
    const writable = e => closed(e) || e.matches('input:not([type]),input[type="text"],input[type="search"],input[type="email"],input[type="url"],input[type="tel"],input[type="password"],input[type="number"],textarea,[contenteditable]');
    if (!e || e.shadowRoot || !writable(e)) return [];
    return /^(transparent|rgba\(.*, 0\))$/.test(getComputedStyle(e).caretColor) ? [] : [e];
  };
  const restless = (all, area) => all.flatMap(tree => [
    ...[...tree.querySelectorAll('video')].filter(v => !v.paused && !v.ended),
    ...[...tree.querySelectorAll('marquee')].filter(m => m.scrollAmount < 1000),
    ...[...tree.querySelectorAll('animate,animateTransform,set')].filter(ending).map(e => e.targetElement),
    ...writes(tree),
  ]).filter(e => shown(e, area)).length;

  // lost says that an element has its room on the page and shows nothing: it is out of sight by opacity, visibility, scale or
  // clipping. What is out of the page's flow leaves no hole.
  const flows = e => {
    for (let up = e; up && up !== document.body; up = up.parentElement) {
      const s = getComputedStyle(up);
      if (s.position === 'absolute' || s.position === 'fixed' || s.float !== 'none' || s.overflow !== 'visible' && up !== e && up.clientHeight < 2) return false;
    }
    return true;
  };
  // behind says that something else is seen in the place of an element: another slide, the text for which it keeps the room.
  const behind = (e, r) => {
    for (let up = e, levels = 0; up.parentElement && levels < 3; up = up.parentElement, levels++) {
      for (const other of up.parentElement.children) {
        if (other === up || !seen(other)) continue;
        const o = other.getBoundingClientRect();
        const across = Math.min(r.right, o.right) - Math.max(r.left, o.left), down = Math.min(r.bottom, o.bottom) - Math.max(r.top, o.top);
        if (across > 0 && down > 0 && across * down > r.width * r.height / 2) return true;
      }
    }
    return false;
  };
  const clipped = s => /^inset\((100%|.* 100%|[5-9]\d%)|^circle\(0/.test(s.clipPath);
  const flat = (e, r) => e.offsetWidth * e.offsetHeight >= large && r.width * r.height < 1;
  const media = 'img,canvas,svg,video';
  const painted = e => { const s = getComputedStyle(e); return s.backgroundImage !== 'none' || !/^(transparent|rgba\(.*, 0\))$/.test(s.backgroundColor); };
  // holds says that there is something to read or to look at in an element: not only what one presses.
  const presses = 'a,button,input,select,label,summary,[role="button"],[role="tooltip"],[role="menu"],[aria-hidden="true"],script,style,template,noscript';
  const pressed = e => !!e.closest(presses);
  const wide = e => { const r = e.getBoundingClientRect(); return r.width * r.height >= large || e.offsetWidth * e.offsetHeight >= large; };
  const holds = e => {
    if (pressed(e)) return false;
    if (e.matches(media) || (!e.firstElementChild && painted(e))) return true;
    const texts = document.createTreeWalker(e, NodeFilter.SHOW_TEXT);
    let letters = 0;
    for (let n = 0; n < 200 && texts.nextNode(); n++) if (!pressed(texts.currentNode.parentElement)) letters += texts.currentNode.data.trim().length;
    return letters >= 12 || [...e.querySelectorAll(media)].slice(0, 50).some(m => !pressed(m) && wide(m)) || [...e.querySelectorAll('*')].slice(0, 50).some(c => !c.firstElementChild && !pressed(c) && painted(c) && wide(c));
  };
  // waits says that an element has a way to be shown: it would move, a script has hidden it, or its name says so.
  const names = /(^|[-_\s])(aos|wow|sal|reveal\w*|fade\w*|anim\w*|appear\w*|in-?view|on-?scroll|scroll\w*|lazy\w*|slide-?(in|up|left|right)|is-hidden|hidden-until\w*)([-_\s]|$)/i;
  const ways = /opacity|visibility|transform|clip-path|scale|translate|filter|all/;
  const waits = e => {
    for (let up = e, n = 0; up && up !== document.body && n < 4; up = up.parentElement, n++) {
      const s = getComputedStyle(up);
      if (parseFloat(s.transitionDuration) > 0 && ways.test(s.transitionProperty) || s.animationName !== 'none' || s.willChange !== 'auto' && ways.test(s.willChange)) return true;
      if (/opacity|visibility|transform|clip-path|scale/.test(up.getAttribute('style') || '') || names.test(up.getAttribute('class') || '')) return true;
      if (up.getAttributeNames().some(a => a.startsWith('data-') && names.test(a.slice(4)))) return true;
    }
    return false;
  };
  const ours = e => e.style.getPropertyPriority('visibility') === 'important'; // taken out of the picture by an option
  const holes = area => {
    const found = [];
    let n = 0;
    for (const e of elements()) {
      if (++n > most) break;
      if (!e.offsetWidth || !e.offsetHeight || e.offsetWidth * e.offsetHeight < large) continue; // also what is no box, and parts of drawings
      if (found.some(of => of.contains(e))) continue;
      const r = e.getBoundingClientRect(), dark = !seen(e);
      if (!dark && !flat(e, r) && !clipped(getComputedStyle(e))) continue;
      if (!e.checkVisibility() || !inside((e.parentElement || e).getBoundingClientRect(), area) || !flows(e) || !holds(e) || !waits(e) || ours(e) || behind(e, r)) continue;
      if (dark && [...e.querySelectorAll('*')].some(seen)) continue;
      found.push(e);
    }
    return found;
  };

  // frames are those of other origins that the browser draws only in view, of which no picture was kept.
  const kept = e => /^url\("?data:image/.test(getComputedStyle(e).backgroundImage);
  const frames = area => area.Viewport ? 0 : [...elements()].filter(e => {
    if (e.localName !== 'iframe' || e.contentDocument || !e.checkVisibility() || document.querySelector('html > canvas')) return false;
    const r = e.getBoundingClientRect();
    return r.width > 1 && r.height > 1 && r.top + scrollY >= innerHeight && inside(r, area) && seen(e) && !kept(e);
  }).length;

  // cut says that a large part that scrolls in place of the page, or that only a script can scroll, is not there in its whole length.
  const scrolls = v => v === 'auto' || v === 'scroll' || v === 'overlay';
  const written = e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
  const reads = (e, y) => [...e.querySelectorAll(':not(script,style,template,noscript,option)')].slice(0, 2000).some(c => {
    const r = c.getBoundingClientRect();
    return r.top >= y - 1 && r.height > 0 && (c.localName === 'img' || written(c));
  });
  const cut = area => {
    const root = document.scrollingElement || document.documentElement, page = root.scrollHeight;
    const own = getComputedStyle(document.documentElement).overflowY !== 'visible';
    let n = 0;
    for (const e of elements()) {
      if (++n > most) break;
      if (e === document.documentElement || (e === document.body && !own) || e.localName === 'textarea') continue;
      const hidden = e.scrollHeight - e.clientHeight;
      if (hidden < 50 || e.clientHeight < innerHeight * 0.25 || e.clientWidth < 120) continue;
      const y = getComputedStyle(e).overflowY;
      if (y === 'visible' || !seen(e)) continue;
      const r = e.getBoundingClientRect();
      if (r.bottom <= 0 || r.top >= innerHeight || r.right <= 0 || r.left >= innerWidth || !inside(r, area)) continue;
      if (scrolls(y)) {
        if (page <= innerHeight * 1.1 || (page <= innerHeight * 2 && r.height >= innerHeight * 0.8)) return true;
      } else if (page <= innerHeight * 1.1 && r.height >= innerHeight * 0.8 && r.width >= innerWidth * 0.6 && hidden > innerHeight * 0.3 && reads(e, r.bottom)) return true;
    }
    return false;
  };

  // loading says that the page says of itself, in the picture, that something is to come: with points behind it, or where a name says so.
  const says = /^\s*(loading|please wait|wird geladen|lädt|laden|chargement|cargando|caricamento|carregando|загрузка|加载中|読み込み中)([^\n]{0,40}(\.{2,}|…))?\s*$/i;
  const busy = '[aria-busy="true"],[role="progressbar"],[class*="load" i],[class*="spinner" i],[id*="load" i]';
  const loading = area => {
    const texts = document.createTreeWalker(document.body || document.documentElement, NodeFilter.SHOW_TEXT);
    for (let n = 0; n < most && texts.nextNode(); n++) {
      const said = texts.currentNode.data.length < 200 && says.exec(texts.currentNode.data), e = said && texts.currentNode.parentElement;
      if (!e || e.closest('button,a,select,script,style,template,noscript,pre,code') || !said[2] && !e.closest(busy)) continue;
      if (seen(e) && inside(e.getBoundingClientRect(), area)) return true;
    }
    return false;
  };

  // changing watches for a moment what scripts change in the picture: what changes twice in it is moving.
  const mark = c => {
    try {
      const small = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
      small.canvas.width = small.canvas.height = 32;
      small.drawImage(c, 0, 0, 32, 32);
      return small.getImageData(0, 0, 32, 32).data.join();
    } catch { return ''; }
  };
  const frame = () => new Promise(done => { requestAnimationFrame(done); setTimeout(done, 200); });
  const changing = async area => {
    const changed = new Map(), marks = new Map();
    const change = e => { if (e && e.nodeType === 1) changed.set(e, (changed.get(e) || 0) + 1); };
    const watch = new MutationObserver(list => { for (const e of new Set(list.map(r => r.target.nodeType === 3 ? r.target.parentElement : r.target))) change(e); });
    watch.observe(document, {subtree: true, attributes: true, characterData: true, childList: true});
    const canvases = [...document.querySelectorAll('canvas')].filter(c => c.width && inside(c.getBoundingClientRect(), area)).slice(0, 5);
    for (let n = 0, end = performance.now() + 120; n < 5 && performance.now() < end; n++) {
      await frame();
      for (const c of canvases) {
        const is = mark(c);
        if (marks.has(c) && marks.get(c) !== is) change(c);
        marks.set(c, is);
      }
    }
    watch.disconnect();
    return [...changed].filter(([e, n]) => n > 1 && e.isConnected && e.checkVisibility() && inside(e.getBoundingClientRect(), area)).length;
  };

  // growing says that something has grown step by step up to now, and that the next step is near: text that pauses midway.
  const growing = timers => timers.next >= 0 && timers.next < 1000 && attempt(() => savepage.grew()) < 800 ? 1 : 0;

  // What was seen while the page was walked through is remembered: the leaves of the document, with the cells of a grid over the
  // page that each filled. One that is not seen any more, and whose place is empty now, is missing.
  const cell = 40, maxLeaves = 20000;
  const drawsItself = e => e.matches('img,canvas,svg,video,input,iframe') || [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || (!e.firstElementChild && painted(e));
  // sight says of an element whether it, or what it stands in, is hidden in a way that leaves it its room, or pinned to the window.
  const sight = () => {
    const known = new Map();
    const of = e => {
      if (!e || e.nodeType !== 1) return {hidden: false, pinned: false};
      let is = known.get(e);
      if (!is) {
        const s = getComputedStyle(e), up = of(e.parentElement || e.getRootNode().host);
        is = {hidden: up.hidden || clipped(s), pinned: up.pinned || s.position === 'fixed' || s.position === 'sticky'};
        known.set(e, is);
      }
      return is;
    };
    return of;
  };
  function* leaves(within) {
    const of = sight();
    let n = 0;
    for (const e of elements()) {
      if (++n > maxLeaves) return;
      const r = e.getBoundingClientRect();
      if (r.width < 8 || r.height < 8 || within && (r.bottom <= 0 || r.top >= innerHeight || r.right <= 0 || r.left >= innerWidth)) continue;
      if (e.localName === 'body' || e.localName === 'svg' && e.ownerSVGElement || !seen(e) || !drawsItself(e) || of(e).hidden || of(e).pinned) continue;
      yield [e, r];
    }
  }
  const cells = r => {
    const all = [], left = Math.floor((r.left + scrollX) / cell), right = Math.ceil((r.right + scrollX) / cell);
    for (let y = Math.floor((r.top + scrollY) / cell); y * cell < r.bottom + scrollY && all.length < 4000; y++) for (let x = left; x < right; x++) all.push(y * 4096 + x);
    return all;
  };
  const remembered = new Map();
  let time = 0; // milliseconds that remembering may take yet
  const remember = () => {
    const began = performance.now();
    if (time <= 0) return;
    for (const [e, r] of leaves(true)) remembered.set(e, cells(r));
    time -= performance.now() - began;
  };
  const missing = area => {
    const of = sight(), gone = [];
    for (const [e, was] of remembered) {
      const r = was.length > 1 && e.isConnected && e.getBoundingClientRect();
      if (was.length > 1 && !(r && r.width >= 8 && r.height >= 8 && seen(e) && !of(e).hidden)) gone.push(was);
    }
    if (!gone.length) return 0;
    const now = new Set(), height = (document.scrollingElement || document.documentElement).scrollHeight;
    for (const [, r] of leaves(false)) for (const c of cells(r)) now.add(c);
    let n = 0;
    for (const was of gone) {
      const empty = was.filter(c => (c / 4096 | 0) * cell < height && !now.has(c) && !now.has(c - 4096) && !now.has(c + 4096));
      if (empty.length * cell * cell >= large && empty.length >= was.length / 2) n++;
    }
    return n;
  };

  // reached is how far down the page the window has been, since somebody asked for it to be noted.
  let reached = -1;
  const reach = () => { reached = Math.max(reached, scrollY + innerHeight); };

  const unseen = area => {
    const end = Math.min(area.Y + area.Height, (document.scrollingElement || document.documentElement).scrollHeight);
    return reached >= 0 && !area.Viewport && end > reached + 50;
  };

  // longer says that the page goes on below what is to be its end. The copies of a backdrop, which are not the page's, may reach
  // further.
  const longer = area => {
    if (!area.Long || area.Viewport) return false;
    const copies = [...document.querySelectorAll('[data-savepage-layer]')].map(e => e.getBoundingClientRect().bottom + scrollY);
    return (document.scrollingElement || document.documentElement).scrollHeight > Math.max(area.Y + area.Height, ...copies) + 50;
  };

  // since counts the parts of the picture that have changed since it was first asked.
  const since = (() => {
    const touched = new Set();
    const take = list => { for (const r of list) for (const n of [r.target, ...r.addedNodes]) if (touched.size < 5000) touched.add(n.nodeType === 3 ? n.parentElement : n); };
    let watch = null;
    return area => {
      if (!watch) {
        watch = new MutationObserver(take);
        watch.observe(document, {subtree: true, attributes: true, characterData: true, childList: true});
        return 0;
      }
      take(watch.takeRecords());
      return [...touched].filter(e => e?.nodeType === 1 && e.isConnected && seen(e) && inside(e.getBoundingClientRect(), area)).length;
    };
  })();

  return {
    // begin has it noted how far down the page the window goes.
    begin: () => {
      if (reached >= 0) return;
      reach();
      time = 300;
      addEventListener('scroll', () => { reach(); frame().then(() => attempt(remember)); }, {capture: true, passive: true});
      addEventListener('resize', reach);
    },
    // remember notes what can be seen in the window.
    remember: () => { attempt(remember); },
    // plans is what the page says that it is about to do.
    plans: token => { const told = token && attempt(() => savepage.told(token)) || {}; return {timers: told.timers || null, later: told.later || null}; },
    // look says what is missing in an area of the page, and what still moves there. asked has the event that the page's timers answer
    // to, whether what moves without an end is known, and whether the page is to stand still.
    look: async (area, {token, known, stands}) => {
      const told = token && attempt(() => savepage.told(token)) || {}, timers = told.timers, all = attempt(trees) || [document];
      const signs = !known && timers && (timers.frame >= 0 || timers.next >= 0);
      const part = (act, otherwise) => attempt(act) ?? otherwise; // what a page has made unusable says nothing
      return {
        pictures: part(() => pictures(area), 0), moves: part(() => moves(all, area, stands), 0), restless: stands ? part(() => restless(all, area), 0) : 0,
        ended: stands ? part(() => savepageStill.ended(), 0) : 0, hidden: area.Whole ? part(() => holes(area).length, 0) : 0,
        missing: area.Whole ? part(() => missing(area), 0) : 0, frames: area.Paper ? 0 : part(() => frames(area), 0), cut: area.Long && part(() => cut(area), false),
        loading: part(() => loading(area), false), unseen: part(() => unseen(area), false),
        longer: part(() => longer(area), false), changed: part(() => since(area), 0), timers: timers || null, later: told.later || null,
        changing: signs ? await changing(area).catch(() => 0) || growing(timers) : 0,
      };
    },
  };
})();
