// Runs in every new document, beside the page's scripts. It says which classes and ids the document has and to which
// hosts it links, and hides what it is told. A sheet that is adopted needs no element, and the page's content policy does not concern it.
send => {
  if (!location.protocol.startsWith('http')) return;
  const known = new Set(), selectors = [], sheet = new CSSStyleSheet();
  let fresh = [], timer = 0, said = 0;
  const adopt = () => {
    if (selectors.length && !document.adoptedStyleSheets.includes(sheet)) document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  };
  const learn = name => {
    if (known.size > 50000 || name.length > 256 || known.has(name)) return; // more is not a page but an attack
    known.add(name);
    fresh.push(name);
  };
  const read = e => {
    if (e.id) learn('#' + e.id);
    if (e.localName === 'a' && e.hostname && e.hostname !== location.hostname) learn('@' + e.hostname);
    const names = e.getAttribute('class');
    if (!names || known.has(names)) return;
    known.add(names);
    for (const one of e.classList) learn('.' + one);
  };
  // At once, so that it is heard before the page counts as quiet, but not with every change of a busy page.
  const tell = () => {
    timer = 0;
    said = performance.now();
    send(JSON.stringify({names: fresh.splice(0)}));
  };
  const all = e => {
    if (e.nodeType !== 1) return;
    read(e);
    for (const inner of e.querySelectorAll('[id],[class],a[href]')) read(inner);
  };
  globalThis.savepageHide = more => {
    selectors.push(...more);
    // The layer makes these rules win over important ones of the page itself.
    sheet.replaceSync('@layer savepage-hide{' + selectors.map(s => s + '{display:none!important}').join('\n') + '}');
    adopt();
  };
  const begin = () => {
    all(document.documentElement);
    send(JSON.stringify({url: location.href, names: fresh.splice(0)}));
    new MutationObserver(records => {
      for (const r of records) if (r.type === 'attributes') read(r.target); else r.addedNodes.forEach(all);
      if (!fresh.length || timer) return;
      if (performance.now() - said > 20) tell(); else timer = setTimeout(tell, 20);
    }).observe(document, {subtree: true, childList: true, attributes: true, attributeFilter: ['class', 'id']});
  };
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', begin); else begin();
  addEventListener('load', adopt); // the page may have set sheets of its own in its place
}
