// Runs in every new document. A sheet that is adopted needs no element, and the page's content policy does not concern it.
css => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  const adopt = () => {
    if (!document.adoptedStyleSheets.includes(sheet)) document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  };
  adopt();
  // The page may have set sheets of its own in its place.
  document.addEventListener('DOMContentLoaded', adopt);
  addEventListener('load', adopt);
}
