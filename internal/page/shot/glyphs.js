// Says which letters on the page no font has. Runs beside the page's scripts.
(() => {
  // Letters that may lack a glyph: no Latin, Greek or Cyrillic, no common signs; no spaces, marks, controls; no boxes, which
  // look like what stands for a missing one.
  const rare = /(?![\p{Z}\p{M}\p{Cc}\p{Cf}\p{Cs}\u25a0-\u25ff\u{1f3fb}-\u{1f3ff}])[^\u0000-\u024f\u0370-\u04ff\u2010-\u205e\u20a0-\u20bf\u2122\ufffc]/gu;
  // uncommon are such letters of the page's text, by the fonts that they are written in.
  const uncommon = most => {
    const found = new Map();
    let n = 0, nodes = 0;
    const texts = document.createTreeWalker(document.body || document, NodeFilter.SHOW_TEXT);
    for (let t; n < most && nodes < 50000 && (t = texts.nextNode()); nodes++) {
      const letters = t.data.match(rare);
      if (!letters || /^(SCRIPT|STYLE|NOSCRIPT|TEMPLATE)$/.test(t.parentElement?.tagName) || !t.parentElement?.checkVisibility()) continue;
      const family = getComputedStyle(t.parentElement).fontFamily;
      if (!found.has(family)) found.set(family, new Set());
      for (const c of letters) if (n < most && !found.get(family).has(c)) { found.get(family).add(c); n++; }
    }
    return found;
  };
  // bare are those of the letters that have no glyph in any font. They look like a letter that none has: U+10FFFF.
  const bare = (family, letters) => {
    const cell = 24, canvas = document.createElement('canvas');
    canvas.width = cell * 40;
    canvas.height = cell * Math.ceil((letters.length + 1) / 40);
    const g = canvas.getContext('2d', {willReadFrequently: true});
    g.font = '16px ' + family;
    g.textBaseline = 'top';
    const all = ['\u{10ffff}', ...letters], at = i => [i % 40 * cell, Math.floor(i / 40) * cell];
    all.forEach((c, i) => { const [x, y] = at(i); g.save(); g.beginPath(); g.rect(x, y, cell, cell); g.clip(); g.fillText(c, x, y + 2); g.restore(); });
    const drawn = new Uint32Array(g.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
    const same = (a, b) => {
      const [ax, ay] = at(a), [bx, by] = at(b);
      for (let y = 0; y < cell; y++) for (let x = 0; x < cell; x++) {
        if (drawn[(ay + y) * canvas.width + ax + x] !== drawn[(by + y) * canvas.width + bx + x]) return false;
      }
      return true;
    };
    return letters.filter((c, i) => same(i + 1, 0));
  };

  const missing = new Set();
  for (const [family, letters] of uncommon(300)) for (const c of bare(family, [...letters])) missing.add(c.codePointAt(0));
  return [...missing];
})