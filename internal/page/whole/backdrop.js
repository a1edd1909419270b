// Has what fills the window, and stands still while the page scrolls, reach over the whole page. Runs beside the page's scripts.
if (!globalThis.savepageBackdrop) globalThis.savepageBackdrop = (() => {
  const maxElements = 30000, maxLayers = 20, maxCopies = 120, mark = 'data-savepage-layer';
  const force = (e, name, value) => e.style.setProperty(name, value, 'important');
  const drawn = 'img,video,canvas,svg,picture,iframe,object,embed';
  const clear = c => c === 'transparent' || /^rgba\(.*, 0\)$/.test(c) || / \/ 0\)$/.test(c);
  const opaque = c => !clear(c) && !/^rgba\(/.test(c) && !c.includes(' / ');
  const fills = r => r.left <= innerWidth * 0.02 && r.top <= innerHeight * 0.02 && r.right >= innerWidth * 0.98 && r.bottom >= innerHeight * 0.98;
  const paints = s => !clear(s.backgroundColor) || s.backgroundImage !== 'none' || (s.backdropFilter && s.backdropFilter !== 'none');

  function* elements(tree = document) {
    for (const e of tree.querySelectorAll('*')) {
      yield e;
      if (e.shadowRoot) yield* elements(e.shadowRoot);
    }
  }

  // layers are the outermost elements that stand still and fill the window.
  const layers = () => {
    const found = [];
    let n = 0;
    for (const e of elements()) {
      if (++n > maxElements || found.length >= maxLayers) break;
      if (e === document.documentElement || e === document.body || e.hasAttribute(mark)) continue;
      const s = getComputedStyle(e);
      if (s.position !== 'fixed' || s.visibility !== 'visible' || s.opacity < 0.01 || !e.checkVisibility({opacityProperty: true})) continue;
      if (fills(e.getBoundingClientRect())) found.push(e);
    }
    return found;
  };
  // generated says that a generated box of an element paints something.
  const generated = e => ['::before', '::after'].some(part => { const s = getComputedStyle(e, part); return s.content !== 'none' && s.display !== 'none' && paints(s); });
  // painted is what fills the window of a layer: the layer itself, or something in it that is as large.
  const painted = layer => [layer, ...layer.querySelectorAll('*')].slice(0, 200).filter(e => {
    const s = getComputedStyle(e);
    return s.visibility === 'visible' && s.opacity > 0.01 && (paints(s) || e.matches(drawn) || generated(e)) && fills(e.getBoundingClientRect());
  });
  // above says that a layer covers what it stands over.
  const above = (layer, list) => {
    if (getComputedStyle(layer).zIndex < 0) return false;
    if (!list.some(e => opaque(getComputedStyle(e).backgroundColor) && getComputedStyle(e).opacity > 0.95)) return false;
    const at = [[0.5, 0.5], [0.2, 0.3], [0.8, 0.7], [0.5, 0.9], [0.5, 0.1]];
    return at.every(([x, y]) => { const top = document.elementFromPoint(innerWidth * x, innerHeight * y); return top && (layer === top || layer.contains(top)); });
  };

  // lay puts a copy at y of the page, before its model, so that it is drawn beneath what is drawn over that.
  const lay = (model, copy, y, height) => {
    copy.removeAttribute('id');
    copy.setAttribute(mark, '');
    copy.setAttribute('aria-hidden', 'true');
    const at = {position: 'absolute', left: 0, right: 'auto', top: 0, bottom: 'auto', width: innerWidth + 'px', height: height + 'px', 'min-height': 0, 'max-height': 'none', margin: 0, transform: 'none', transition: 'none', animation: 'none', overflow: 'hidden', opacity: getComputedStyle(model).opacity};
    for (const name in at) force(copy, name, at[name]);
    model.before(copy);
    const r = copy.getBoundingClientRect();
    force(copy, 'top', y - (r.top + scrollY) + 'px');
    force(copy, 'left', -(r.left + scrollX) + 'px');
  };
  // drawing is what a canvas or a video shows now; null where that cannot be read.
  const drawing = e => {
    const copy = document.createElement('canvas');
    [copy.width, copy.height] = e.localName === 'video' ? [e.videoWidth, e.videoHeight] : [e.width, e.height];
    try { copy.getContext('2d').drawImage(e, 0, 0); } catch { return null; }
    for (const {name, value} of e.attributes) if (name === 'class' || name === 'style') copy.setAttribute(name, value);
    const s = getComputedStyle(e);
    for (const name of ['width', 'height', 'object-fit', 'object-position']) force(copy, name, s.getPropertyValue(name));
    return copy;
  };
  const moving = 'canvas,video';
  // copied is a copy of a layer with all that it shows; null where that cannot be had.
  const copied = layer => {
    if (layer.matches(moving)) return drawing(layer);
    const copy = layer.cloneNode(true), from = layer.querySelectorAll(moving), to = copy.querySelectorAll(moving);
    for (let i = 0; i < from.length; i++) {
      const still = drawing(from[i]);
      if (!still) return null;
      to[i].replaceWith(still);
    }
    return copy;
  };
  const pictured = e => e.matches(drawn) || getComputedStyle(e).backgroundImage.includes('url(') || generated(e);

  // cover has a layer reach from the end of the first window to y, and says whether it does.
  const cover = (layer, end) => {
    const list = painted(layer);
    if (!list.length) return true; // nothing that would be missing
    if (above(layer, list)) return false;
    const says = (layer.innerText || '').trim() || layer.querySelector('input,button,form,[role=dialog]');
    if (!list.some(pictured)) { // a colour
      for (const e of list.slice(0, 3)) {
        const copy = e.cloneNode(false), s = getComputedStyle(e);
        for (const name of ['background-color', 'background-image', 'backdrop-filter']) force(copy, name, s.getPropertyValue(name));
        force(copy, 'z-index', getComputedStyle(layer).zIndex);
        lay(layer, copy, innerHeight, end - innerHeight);
        copy.setAttribute(mark, 'plain');
        force(copy, 'opacity', s.opacity * (e === layer ? 1 : getComputedStyle(layer).opacity));
      }
      return true;
    }
    if (says) return false;
    for (let y = innerHeight, n = 0; y < end; y += innerHeight) {
      if (++n > maxCopies) return false;
      const copy = copied(layer), height = Math.min(innerHeight, end - y);
      if (!copy) return false;
      lay(layer, copy, y, innerHeight);
      if (height < innerHeight) force(copy, 'clip-path', `inset(0 0 ${innerHeight - height}px 0)`);
    }
    return true;
  };

  // pseudo has a generated box of the page's root do the same.
  const pseudo = end => {
    const rules = [];
    for (const [e, name] of [[document.documentElement, 'html'], [document.body, 'body']]) {
      for (const part of e ? ['::before', '::after'] : []) {
        const s = getComputedStyle(e, part);
        if (s.content === 'none' || s.position !== 'fixed' || !paints(s) || parseFloat(s.height) < innerHeight * 0.98 || parseFloat(s.width) < innerWidth * 0.98) continue;
        const picture = s.backgroundImage.includes('url(') ? `;background-size:${/cover|contain|%/.test(s.backgroundSize) ? `100% ${innerHeight}px` : s.backgroundSize}!important;background-repeat:repeat!important` : '';
        rules.push(`${name}${part}{position:absolute!important;top:0!important;bottom:auto!important;height:${end}px!important;max-height:none!important${picture}}`);
      }
    }
    return rules;
  };

  let told = null; // what was said before: it is done once
  return {
    // extend has the page's layers reach down to y. It says whether all do ("whole_page"), or one does not ("first_window").
    extend: end => {
      if (told !== null) return told;
      const rules = pseudo(end), list = layers();
      const open = [...document.querySelectorAll('dialog:modal,:popover-open')].filter(e => !clear(getComputedStyle(e, '::backdrop').backgroundColor) || getComputedStyle(e, '::backdrop').backgroundImage !== 'none');
      if (open.length) rules.push(`::backdrop{position:absolute!important;inset:0 auto auto 0!important;width:${innerWidth}px!important;height:${end}px!important}`);
      if (!list.length && !rules.length) return told = '';
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(`[${mark}=plain]::before,[${mark}=plain]::after{display:none!important}` + rules.join(''));
      document.adoptedStyleSheets.push(sheet);
      let all = true, any = rules.length > 0;
      for (const layer of list) {
        if (!painted(layer).length) continue;
        any = true;
        if (!cover(layer, end)) all = false;
      }
      return told = any ? (all ? 'whole_page' : 'first_window') : '';
    },
  };
})();
