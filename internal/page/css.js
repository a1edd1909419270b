// Names the parts of a style sheet that the browser does not understand, at most three. Runs in the empty tab.
css => {
  const faults = [], most = 3, brief = s => s.replace(/\s+/g, ' ').trim().slice(0, 60);
  const fault = (what, text) => { if (faults.length < most) faults.push(`${what} ${JSON.stringify(brief(text))}`); };
  // parts splits a text at a character that stands outside of strings, comments and brackets.
  const ends = {'{': '}', '(': ')', '[': ']'};
  const scan = (text, each) => {
    const open = [];
    let i = 0;
    for (; i < text.length; i++) {
      const c = text[i];
      if (c === '\\') i++;
      else if (c === '/' && text[i + 1] === '*') {
        const end = text.indexOf('*/', i + 2);
        if (end < 0) return 'a comment that does not end:';
        i = end + 1;
      } else if (c === '"' || c === "'") {
        let end = i + 1;
        while (end < text.length && text[end] !== c && text[end] !== '\n') end += text[end] === '\\' ? 2 : 1;
        if (text[end] !== c) return 'a string that does not end:';
        i = end;
      } else if (text.slice(i, i + 4).toLowerCase() === 'url(' && !/["']/.test(text.slice(i + 4, i + 40).trimStart()[0] || '')) {
        const end = text.indexOf(')', i);
        if (end < 0) return 'an address that does not end:';
        i = end;
      } else if (ends[c]) open.push(ends[c]);
      else if ('})]'.includes(c) && open.pop() !== c) return `a ${c} without its beginning:`;
      if (!open.length) each(c, i);
    }
    return open.length ? `a missing ${open.pop()}:` : '';
  };
  const bare = text => text.replace(/\/\*[\s\S]*?\*\//g, ' ').trim();
  // What is written for other browsers is no fault.
  const foreign = text => /(^|[^-\w])-(webkit|moz|ms|o|khtml)-|progid|expression\(|\\\d|^[*_]/i.test(text);
  const declarations = block => {
    let from = 0;
    const check = text => {
      text = bare(text);
      const colon = text.indexOf(':');
      if (!text || text.startsWith('--') || foreign(text)) return;
      const value = text.slice(colon + 1).replace(/!\s*important\s*$/i, '').trim();
      if (colon < 0 || !value || !CSS.supports(text.slice(0, colon).trim(), value)) fault('a declaration:', text);
    };
    scan(block, (c, i) => { if (c === ';') { check(block.slice(from, i)); from = i + 1; } });
    check(block.slice(from));
  };
  const rules = (text, depth) => {
    if (depth > 5) return;
    let from = 0;
    const wrong = scan(text, (c, i) => {
      if (c !== '}' && c !== ';') return;
      const rule = bare(text.slice(from, i + 1));
      from = i + 1;
      if (/^@(charset|namespace)/i.test(rule) || rule === ';') return;
      if (/^@import/i.test(rule)) return fault('an @import, which no injected sheet may have:', rule);
      const sheet = new CSSStyleSheet();
      try { sheet.replaceSync(rule); } catch {}
      const read = sheet.cssRules[0], at = rule.indexOf('{');
      if (!read) { if (!foreign(rule) && !/:-/.test(rule)) fault('a rule:', rule); return; }
      const block = rule.slice(at + 1, -1);
      if (read instanceof CSSGroupingRule && !(read instanceof CSSStyleRule)) rules(block, depth + 1);
      else if (read instanceof CSSStyleRule && !block.includes('{')) declarations(block);
    });
    if (wrong) return fault(wrong, text.slice(from));
    if (bare(text.slice(from))) fault('a text that is no rule:', text.slice(from));
  };
  rules(css, 0);
  return faults;
}
