// Keeps what the page takes out of the document when it leaves the window: rows of lists, parts that are only there while they
// are seen. Runs beside the page's scripts.
if (!globalThis.savepageLists) globalThis.savepageLists = (() => {
  const maxHolders = 500, textKept = 300;
  const touched = new Set(); // elements that got new children since begin
  const holders = new Map(); // the same, with what they held when the whole page was seen
  const stood = new WeakSet(); // elements that have a copy in their place
  let observer = null;
  const take = records => { for (const r of records) if (r.addedNodes.length && r.target.nodeType === 1 && touched.size < 5000) touched.add(r.target); };

  const text = node => (node.textContent || '').slice(0, textKept);
  // weight is how much there is of something.
  const weight = node => node.nodeType !== 1 ? text(node).length / 5 : node.querySelectorAll('*').length + 1 + text(node).length / 5;
  const heavy = nodes => nodes.reduce((sum, node) => sum + weight(node), 0);
  const placed = e => e.nodeType === 1 && getComputedStyle(e).position === 'absolute';
  // pinned is what stands over the page: it is in no list, and whatever took it out meant it to go.
  const pinned = e => e.nodeType === 1 && getComputedStyle(e).position === 'fixed';

  const hold = e => {
    const children = [...e.childNodes], was = holders.get(e);
    const is = {children, texts: children.map(text), weight: heavy(children), style: e.getAttribute('style'), name: e.getAttribute('class'), height: e.offsetHeight, lacks: false, over: new Set(children.filter(pinned))};
    if (was) {
      // Rows with a place of their own add up, others would stand in the wrong place.
      const gone = was.children.filter(c => !c.isConnected && c.nodeType === 1 && !was.over.has(c));
      if (gone.length && children.some(placed)) {
        is.children = [...gone, ...children];
        is.texts = [...gone.map(c => was.texts[was.children.indexOf(c)]), ...is.texts];
        is.weight = heavy(is.children);
      } else if (gone.length) {
        is.lacks = true;
      }
    }
    holders.set(e, is);
  };

  const copied = node => {
    const copy = node.cloneNode(true);
    if (node.nodeType !== 1) return copy;
    const from = node.querySelectorAll('canvas'), to = copy.querySelectorAll('canvas');
    from.forEach((c, i) => { try { to[i].getContext('2d').drawImage(c, 0, 0); } catch {} });
    return copy;
  };

  // stand puts a copy with what an element held in its place, and the element itself out of sight: the page goes on with it.
  const stand = (e, held) => {
    const copy = e.cloneNode(false), width = e.getBoundingClientRect().width;
    for (const [name, value] of [['style', held.style], ['class', held.name]]) value === null ? copy.removeAttribute(name) : copy.setAttribute(name, value);
    copy.append(...held.children.filter(c => c.isConnected || !held.over.has(c)).map(c => c.isConnected ? copied(c) : c));
    const hide = {position: 'absolute', visibility: 'hidden', 'pointer-events': 'none', width: width + 'px', margin: 0};
    for (const name in hide) e.style.setProperty(name, hide[name], 'important');
    e.after(copy);
    stood.add(e);
    stood.add(copy);
  };

  return {
    // begin follows what the page adds from now on.
    begin: () => {
      if (observer) return;
      observer = new MutationObserver(take);
      observer.observe(document, {subtree: true, childList: true});
    },
    // seen notes what is there now, and says whether that is anything.
    seen: () => {
      take(observer.takeRecords());
      for (const e of touched) if (e.isConnected && !stood.has(e) && (holders.has(e) || holders.size < maxHolders)) hold(e);
      return holders.size > 0;
    },
    // forget has nothing put back of what was seen so far.
    forget: () => { holders.clear(); touched.clear(); },
    // restore puts back what has been taken out since, where its place was kept free, and counts where it could not.
    restore: () => {
      let left = 0;
      for (const [e, held] of holders) {
        if (!e.isConnected || e.closest('head')) continue;
        const now = [...e.childNodes], lost = held.children.filter(c => c.nodeType === 1 && !c.isConnected && !held.over.has(c));
        const fresh = now.filter(c => !held.children.includes(c) && !held.texts.includes(text(c)));
        if (!lost.length || held.weight < heavy(now) * 1.2 + 1 || e.offsetHeight < held.height * 0.9 - 2) continue;
        if (fresh.some(c => text(c).trim() || (c.nodeType === 1 && (c.matches('img,svg,canvas,video') || c.querySelector('img,svg,canvas,video'))))) continue;
        const used = lost.some(c => text(c) !== held.texts[held.children.indexOf(c)]);
        if (used || held.lacks) { left++; continue; }
        stand(e, held);
        holders.delete(e);
      }
      return left;
    },
  };
})();
