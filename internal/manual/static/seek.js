// Answers the search of the manual while somebody types. Without it the form leads to a page with the same places.
"use strict";

(() => {
  const form = document.querySelector(".seek");
  const input = form.querySelector("input");
  const list = form.querySelector(".places");
  const said = form.querySelector("[role=status]");
  const pause = 60; // ms without a key, after which the server is asked
  let waiting = 0;
  let asked = null; // the request that is under way
  let shown = ""; // what the list answers
  let marked = -1;

  const places = () => Array.from(list.querySelectorAll("a"));
  const isOpen = () => !list.hidden;

  function mark(at) {
    const all = places();
    if (all[marked]) all[marked].setAttribute("aria-selected", "false");
    marked = at;
    const one = all[at];
    if (!one) {
      input.removeAttribute("aria-activedescendant");
      return;
    }
    one.setAttribute("aria-selected", "true");
    one.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", one.id);
  }

  function show(open) {
    list.hidden = !open;
    input.setAttribute("aria-expanded", String(open));
    if (!open) mark(-1);
  }

  function forget() {
    clearTimeout(waiting);
    if (asked) asked.abort();
    asked = null;
  }

  async function ask(query) {
    if (asked) asked.abort();
    const mine = new AbortController();
    asked = mine;
    try {
      const answer = await fetch(`${form.action.replace(/search$/, "places")}?q=${encodeURIComponent(query)}`, { signal: mine.signal });
      const text = await answer.text();
      if (!answer.ok || mine.signal.aborted) return;
      list.innerHTML = text;
      shown = query;
      mark(-1);
      said.textContent = list.querySelector("[data-said]").dataset.said;
      show(document.activeElement === input);
    } catch {
      // It was given up, or the server does not answer; the form still works.
    } finally {
      if (asked === mine) asked = null;
    }
  }

  function typed() {
    forget();
    const query = input.value.trim();
    if (!query) {
      shown = "";
      said.textContent = "";
      show(false);
      return;
    }
    waiting = setTimeout(() => ask(query), pause);
  }

  input.setAttribute("role", "combobox");
  input.setAttribute("aria-expanded", "false");
  input.setAttribute("aria-controls", list.id);
  input.setAttribute("aria-autocomplete", "list");
  input.autocomplete = "off";
  input.addEventListener("input", typed);
  input.addEventListener("focus", () => { if (shown && shown === input.value.trim()) show(true); });
  input.addEventListener("blur", () => show(false));
  list.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps the focus until the click
  list.addEventListener("click", () => show(false)); // a place of this page loads none
  window.addEventListener("pagehide", forget);

  input.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const count = places().length;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && shown && shown === input.value.trim()) {
      event.preventDefault();
      if (!isOpen()) show(true);
      // The field itself is a stop between the last and the first.
      if (count) mark(((marked + 1 + step + count + 1) % (count + 1)) - 1);
    } else if (event.key === "Enter" && isOpen() && marked >= 0) {
      event.preventDefault();
      places()[marked].click();
    } else if (event.key === "Escape" && isOpen()) {
      event.preventDefault();
      show(false);
    }
  });
})();
