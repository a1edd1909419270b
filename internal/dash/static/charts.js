// Draws the charts of the usage page from the numbers of its table, which is there without this too. Each part has a pattern or a
// dash of its own beside its colour, and the arrow keys read the numbers out.
"use strict";

(() => {
  if (!window.uPlot) return;
  let heads = [];
  let rows = [];
  let labels = [];
  // read takes the numbers from the table, and reports whether there is one.
  const read = () => {
    const table = document.getElementById("numbers");
    if (!table) return false;
    heads = Array.from(table.tHead.rows[0].cells);
    rows = Array.from(table.tBodies[0].rows);
    labels = rows.map((row) => row.cells[0].textContent.trim());
    return true;
  };
  const columnOf = (name) => heads.findIndex((head) => head.dataset.column === name);
  const values = (name) => rows.map((row) => {
    const text = row.cells[columnOf(name)].dataset.value;
    return text === "" ? null : Number(text);
  });
  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const colours = {
    success: "ok", shared: "accent", failed: "bad", delivered: "ok", dead: "bad", bytes: "accent", p50: "accent", p95: "warn",
  };
  const stripes = { shared: "/", failed: "x", dead: "x" };

  // What an axis says: the numbers of the table, shorter.
  const scale = (value, steps, names) => {
    let i = 0;
    while (i < steps.length && value >= steps[i]) i += 1;
    const n = value / (i === 0 ? 1 : steps[i - 1]);
    return `${n.toLocaleString("en", { maximumFractionDigits: 1 })}${names[i]}`;
  };
  const units = {
    ms: (n) => scale(n, [1000, 60000], [" ms", " s", " min"]),
    bytes: (n) => scale(n, [1e3, 1e6, 1e9, 1e12], [" B", " kB", " MB", " GB", " TB"]),
    count: (n) => scale(n, [1e4, 1e6], ["", "k", "M"]).replace(/^([\d.]+)k$/, (all, k) => `${Number(k) * 10}k`),
  };

  // fill is the colour of a part with its pattern, as the legend shows it.
  const fill = (u, name) => {
    const colour = token(colours[name]);
    if (!stripes[name]) return colour;
    const tile = document.createElement("canvas");
    const size = Math.round(8 * devicePixelRatio);
    tile.width = size;
    tile.height = size;
    const pen = tile.getContext("2d");
    pen.fillStyle = token("surface");
    pen.fillRect(0, 0, size, size);
    pen.strokeStyle = colour;
    pen.lineWidth = size / 4;
    pen.beginPath();
    for (const shift of [-size, 0, size]) {
      pen.moveTo(shift, size);
      pen.lineTo(shift + size, 0);
      if (stripes[name] === "x") {
        pen.moveTo(shift, 0);
        pen.lineTo(shift + size, size);
      }
    }
    pen.stroke();
    return u.ctx.createPattern(tile, "repeat");
  };

  function draw(figure) {
    const names = figure.dataset.columns.split(" ");
    const stacked = figure.dataset.chart === "stack";
    const format = units[figure.dataset.unit || "count"];
    const box = figure.querySelector(".plot");
    const readout = figure.querySelector(".readout");
    figure.hidden = false;

    const parts = () => {
      const all = names.map((name) => ({ name, numbers: values(name) }));
      if (!stacked) return all;
      // Each part stands on those before it. The whole is drawn first, and the others over it.
      const sums = labels.map(() => 0);
      all.forEach((part) => {
        part.numbers = part.numbers.map((n, i) => { sums[i] += n; return n > 0 ? sums[i] : null; });
      });
      return all.reverse();
    };
    const data = () => [labels.map((_, i) => i), ...parts().map((part) => part.numbers)];
    const say = (at) => {
      if (at === null || at === undefined) {
        readout.textContent = "";
        return;
      }
      const words = names.map((name) => `${heads[columnOf(name)].textContent.toLowerCase()} ${rows[at].cells[columnOf(name)].textContent}`);
      readout.textContent = `${labels[at]}: ${words.join(", ")}`;
    };
    const axis = { stroke: () => token("second"), grid: { stroke: () => token("line"), width: 1 }, ticks: { show: false }, font: "12px system-ui" };
    const options = {
      width: box.clientWidth,
      height: 180,
      padding: [8, 12, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { show: !stacked } },
      scales: {
        x: { time: false, range: () => [-0.5, labels.length - 0.5] },
        y: { range: (u, low, high) => [0, Math.max(high * 1.1, figure.dataset.unit ? 1 : 4)] },
      },
      axes: [
        { ...axis, grid: { show: false }, size: 28, space: 56, incrs: [1, 2, 3, 4, 6, 7, 12], values: (u, at) => at.map((i) => labels[i] ?? "") },
        { ...axis, size: 56, gap: 6, incrs: figure.dataset.unit ? undefined : [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6],
          values: (u, at) => at.map((n) => format(n)) },
      ],
      series: [{}, ...parts().map((part) => (stacked ? {
        fill: (u) => fill(u, part.name), stroke: () => token(colours[part.name]), width: 1, points: { show: false },
        paths: uPlot.paths.bars({ size: [0.7, 40] }),
      } : {
        stroke: () => token(colours[part.name]), width: 2, dash: part.name === "p95" ? [6, 4] : undefined, spanGaps: false,
        points: { show: true, size: 6, fill: () => token(part.name === "p95" ? "surface" : colours[part.name]) },
      }))],
      hooks: { setCursor: [(u) => say(u.cursor.idx)] },
    };
    const chart = new uPlot(options, data(), box);
    figure.renew = () => chart.setData(data());
    new ResizeObserver(() => chart.setSize({ width: box.clientWidth, height: 180 })).observe(box);
    const repaint = () => chart.redraw(false);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
    document.addEventListener("savepage:scheme", repaint);

    const point = (at) => chart.setCursor({ left: chart.valToPos(at, "x"), top: 0 });
    box.addEventListener("keydown", (event) => {
      const at = chart.cursor.idx ?? (event.key === "ArrowRight" ? -1 : labels.length);
      const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: labels.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      point(Math.min(Math.max(to, 0), labels.length - 1));
    });
    box.addEventListener("blur", () => chart.setCursor({ left: -10, top: -10 }));
  }

  // The page refreshes itself: its charts stay, with new numbers.
  const show = () => {
    if (!read()) return;
    document.querySelectorAll("[data-chart]").forEach((figure) => { if (figure.renew) figure.renew(); else draw(figure); });
  };
  show();
  document.addEventListener("htmx:after:swap", show);
})();
