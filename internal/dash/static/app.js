// What the dashboard does beyond forms and links, all of which work without it: events of a running capture, copy buttons, the
// search over options, questions before something is removed, and light or dark.
"use strict";

const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));

function begin(root) {
  all("[data-copy], [data-copy-from]", root).forEach((button) => {
    if (!navigator.clipboard) return;
    button.hidden = false;
    button.onclick = async () => {
      const from = button.dataset.copyFrom;
      await navigator.clipboard.writeText(from ? document.getElementById(from).textContent : button.dataset.copy);
      const said = button.textContent;
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = said; }, 1500);
    };
  });
  all("form[data-confirm]", root).forEach((form) => {
    form.onsubmit = () => window.confirm(form.dataset.confirm);
  });
  all("[data-watch]", root).forEach(watch);
  all("[data-zoom]", root).forEach(zoom);
  all("[data-compare]", root).forEach(compare);
  all("[data-tabs]", root).forEach(tabs);
}

// zoom shows a picture as wide as its box, or with one or two pixels of the screen for each of its own.
function zoom(group) {
  const box = group.nextElementSibling;
  const image = box.querySelector("img");
  group.hidden = false;
  all("button", group).forEach((button) => {
    button.onclick = () => {
      all("button", group).forEach((one) => one.setAttribute("aria-pressed", String(one === button)));
      const size = button.dataset.size;
      box.dataset.size = size;
      image.style.width = size === "fit" ? "" : `${(image.naturalWidth * Number(size)) / devicePixelRatio}px`;
    };
  });
}

// compare lays one picture over another: the slider says where one ends and the other begins.
function compare(box) {
  const [slider, differs] = all("input", box);
  const over = all("img", box)[1];
  box.classList.add("over");
  for (const one of all("[hidden]", box)) one.hidden = false;
  slider.oninput = () => { over.style.clipPath = differs.checked ? "" : `inset(0 0 0 ${slider.value}%)`; };
  differs.onchange = () => {
    box.classList.toggle("differs", differs.checked);
    slider.disabled = differs.checked;
    slider.oninput();
  };
  slider.oninput();
}

// tabs shows a view of the result without asking for the page again. The address names it all the same.
function tabs(nav) {
  const panels = all("[data-panel]", nav.parentElement);
  const links = all("a", nav);
  links.forEach((link) => {
    link.onclick = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      if (!panels.some((panel) => panel.dataset.panel === link.dataset.tab)) return;
      event.preventDefault();
      panels.forEach((panel) => { panel.hidden = panel.dataset.panel !== link.dataset.tab; });
      links.forEach((one) => one.toggleAttribute("aria-current", false));
      link.setAttribute("aria-current", "true");
      window.history.replaceState(null, "", link.href);
      all("[data-tab-field]").forEach((field) => { field.value = link.dataset.tab; });
    };
  });
}

// watch shows the phases of a capture as they begin, and the page with its result when it has ended.
function watch(box) {
  if (box.source) return;
  const lost = document.querySelector("[data-lost]");
  const source = new EventSource(box.dataset.watch);
  box.source = source;
  const reached = (name) => {
    const steps = all("[data-step]", box);
    const at = steps.findIndex((step) => step.dataset.step === name);
    if (at < 0) return;
    steps.forEach((step, i) => {
      step.classList.toggle("done", i < at);
      step.classList.toggle("now", i === at);
    });
  };
  source.onopen = () => { lost.hidden = true; };
  source.onerror = () => { lost.hidden = false; };
  reached("queue");
  for (const name of ["queued", "running", "phase", "retried"]) {
    source.addEventListener(name, (event) => {
      const data = JSON.parse(event.data);
      reached(data.phase || (data.status === "queued" ? "queue" : "navigate"));
    });
  }
  source.addEventListener("done", () => {
    source.close();
    window.location.reload();
  });
}

// The search shows the options whose name or text has all the words, with their groups unfolded.
function find(input) {
  const form = input.form;
  const before = new Map(all("details", form).map((group) => [group, group.open]));
  input.oninput = () => {
    const words = input.value.toLowerCase().split(/[\s_]+/).filter(Boolean);
    all("details", form).forEach((group) => {
      let some = false;
      all(".field", group).forEach((field) => {
        const text = (field.dataset.name.replaceAll("_", " ") + " " + field.dataset.doc).toLowerCase();
        const fits = words.every((word) => text.includes(word));
        field.hidden = !fits;
        some ||= fits;
      });
      group.hidden = !some;
      group.open = words.length > 0 ? some : before.get(group);
    });
  };
}

function theme(button) {
  const root = document.documentElement;
  button.hidden = false;
  button.onclick = () => {
    const dark = root.dataset.scheme ? root.dataset.scheme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.scheme = dark ? "light" : "dark";
    document.dispatchEvent(new Event("savepage:scheme"));
    try { localStorage.setItem("scheme", root.dataset.scheme); } catch { /* it is not kept then */ }
  };
}

try {
  const kept = localStorage.getItem("scheme");
  if (kept) document.documentElement.dataset.scheme = kept;
} catch { /* none is kept */ }
if (matchMedia("(max-width: 900px)").matches) all(".menu").forEach((menu) => { menu.open = false; });
all("[data-find]").forEach(find);
// The key / goes to the search of the page.
document.addEventListener("keydown", (event) => {
  const field = document.querySelector("[data-slash]");
  if (!field || event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.target.closest("input, select, textarea, [contenteditable]")) return;
  event.preventDefault();
  field.focus();
  field.select();
});
all("[data-theme]").forEach(theme);
begin(document);
document.addEventListener("htmx:after:swap", () => begin(document));
// What refreshes itself says when the server does not answer, and that it does again.
const lostBar = document.querySelector("[data-lost]");
document.addEventListener("htmx:error", () => { if (lostBar) lostBar.hidden = false; });
document.addEventListener("htmx:after:request", () => { if (lostBar) lostBar.hidden = true; });
// An empty field is not part of the address.
all("form.filters").forEach((form) => form.addEventListener("submit", () => {
  all("input, select", form).forEach((one) => { one.disabled = one.value === ""; });
}));
