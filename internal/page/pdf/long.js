// Makes a page ready to be printed on one long page. Runs beside the page's scripts.
if (!globalThis.savepageLong) globalThis.savepageLong = (() => {
  const maxElements = 30000;
  const heights = new Map(); // of elements in a window of the usual height
  const elements = () => [...document.querySelectorAll('body, body *')].slice(0, maxElements);
  const boxed = e => e instanceof HTMLElement && getComputedStyle(e).display !== 'inline';
  const force = (e, name, value) => e.style.setProperty(name, value, 'important');
  return {
    // note keeps the height of every box, and takes breaks between pages away.
    note: () => {
      const style = new CSSStyleSheet();
      style.replaceSync('* { break-before: auto !important; break-after: auto !important; break-inside: auto !important }');
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, style];
      for (const e of elements()) if (boxed(e)) heights.set(e, getComputedStyle(e).height);
    },
    // pin gives boxes that follow the height of the window the height back that they had.
    pin: () => {
      const grown = [];
      for (const [e, height] of heights) {
        if (e !== document.body && getComputedStyle(e).height !== height) grown.push([e, height]);
      }
      for (const [e, height] of grown) {
        force(e, 'min-height', '0');
        force(e, 'max-height', 'none');
        force(e, 'height', height);
      }
    },
    height: () => {
      const {documentElement: root, body} = document;
      const bottom = e => e ? e.getBoundingClientRect().bottom + scrollY : 0;
      // A root as tall as the window says nothing; what reaches beyond it is what scrolls.
      let most = root.scrollHeight > innerHeight ? root.scrollHeight : 0;
      if (most === 0) for (const e of elements()) if (e !== body) most = Math.max(most, bottom(e));
      return Math.ceil(most);
    },
  };
})();
