// Runs in every new document of the page's own origin, beside its scripts: the client's style sheet, and the rules that hide
// what the client names. A sheet that is adopted needs no element, and the page's content policy does not concern it.
(css, hide) => {
  const attempt = act => { try { return act(); } catch { return undefined; } };
  if (!attempt(() => top.document)) return; // another's frame
  const sheets = [];
  const add = text => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    sheets.push(sheet);
  };
  if (css) add(css);
  // The layer makes these rules win over important ones of the page. One rule for each: a selector that is none takes no
  // other with it.
  if (hide.length) add('@layer savepage-hide{' + hide.map(s => s + '{display:none!important;visibility:hidden!important}').join('\n') + '}');
  // The document and the open shadow trees in it.
  const roots = () => {
    const all = [document];
    for (const root of all) for (const e of root.querySelectorAll('*')) if (e.shadowRoot) all.push(e.shadowRoot);
    return all;
  };
  const adoptIn = root => {
    const own = root.adoptedStyleSheets;
    if (!sheets.every(s => own.includes(s))) root.adoptedStyleSheets = [...own.filter(s => !sheets.includes(s)), ...sheets];
  };
  const adopt = () => roots().forEach(adoptIn);
  adoptIn(document);
  document.addEventListener('DOMContentLoaded', adopt);
  addEventListener('load', adopt);
  // Before the picture: the page may have set sheets of its own in their place, or a style that nothing but another wins over.
  globalThis.savepageDress = () => {
    adopt();
    for (const root of roots()) for (const selector of hide) for (const e of root.querySelectorAll(selector)) {
      if (getComputedStyle(e).display !== 'none') e.style.setProperty('display', 'none', 'important');
    }
    for (let i = 0; i < window.length; i++) attempt(() => window[i].savepageDress());
  };
}
