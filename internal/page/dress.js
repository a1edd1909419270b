// Runs in every new document of the page itself, beside its scripts: the client's style sheet, and the rules that hide what
// the client names. A sheet that is adopted needs no element, and the page's content policy does not concern it.
(css, hide) => {
  if (window !== top) return;
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
  const adopt = () => {
    const own = document.adoptedStyleSheets;
    if (!sheets.every(s => own.includes(s))) document.adoptedStyleSheets = [...own.filter(s => !sheets.includes(s)), ...sheets];
  };
  adopt();
  document.addEventListener('DOMContentLoaded', adopt);
  addEventListener('load', adopt);
  // Before the picture: the page may have set sheets of its own in their place, or a style that nothing but another wins over.
  globalThis.savepageDress = () => {
    adopt();
    for (const selector of hide) for (const e of document.querySelectorAll(selector)) {
      if (getComputedStyle(e).display !== 'none') e.style.setProperty('display', 'none', 'important');
    }
  };
}
