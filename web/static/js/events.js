// The event log: choosing rows, and the drawer. Both are links and form fields
// without it.
import { morphAll } from "./morph.js";
import { moved } from "./live.js";

const chosen = new Map(); // field and number of events by value, kept while parts of the page are drawn anew
let anchor; // row at which a range begins
let all = false; // all that match, but for those in except
const except = new Set();

export function start() {
  document.addEventListener("click", click);
  document.addEventListener("change", change);
  document.addEventListener("submit", submit, true);
  document.addEventListener("windlass:morphed", show);
  new MutationObserver((list) => list.some((m) => m.target.id === "events-rows") && show()).observe(document.body, { childList: true, subtree: true });
  show();
}

const boxes = () => [...document.querySelectorAll("[data-select]")];

function change(e) {
  if (e.target.matches("[data-select]")) choose(e.target, e.target.checked);
  else if (e.target.matches("[data-select-page]")) boxes().forEach((b) => choose(b, e.target.checked));
  else if (e.target.closest("[data-select-all]")) {
    all = e.target.checked;
    except.clear();
    chosen.clear();
    if (!all) boxes().forEach((b) => (b.checked = false));
  } else return;
  show();
}

function choose(box, on) {
  box.checked = on;
  if (all && box.name !== "id") { // a row of repeats cannot be taken out of all: choose the others here
    all = false;
    for (const b of boxes()) if (b !== box && !except.has(b.value)) add(b);
    except.clear();
  }
  if (all) on ? except.delete(box.value) : except.add(box.value);
  else on ? add(box) : chosen.delete(box.value);
}

const add = (box) => chosen.set(box.value, { name: box.name, events: Number(box.dataset.events) || 1 });

// count is how many events the chosen rows stand for.
const count = () => [...chosen.values()].reduce((n, c) => n + c.events, 0);

// range chooses all rows from the anchor to box.
function range(box, on) {
  const list = boxes();
  const from = list.findIndex((b) => b.value === anchor), to = list.indexOf(box);
  if (from < 0) return choose(box, on);
  for (const b of list.slice(Math.min(from, to), Math.max(from, to) + 1)) choose(b, on);
}

function click(e) {
  const box = e.target.closest("[data-select]");
  if (box) {
    if (e.shiftKey) {
      range(box, box.checked);
      show();
    }
    anchor = box.value;
    return;
  }
  if (e.ctrlKey || e.metaKey || e.shiftKey || e.button) return;
  const row = e.target.closest("a[data-open]");
  if (row) {
    e.preventDefault();
    const u = new URL(location.href);
    u.searchParams.set("open", row.dataset.open);
    return drawer(u, true);
  }
  const link = e.target.closest("a[data-drawer-link]");
  if (link) {
    e.preventDefault();
    drawer(new URL(link.href), true);
  }
}

// drawer draws the drawer of an address of this page.
async function drawer(u) {
  const was = new URL(location.href).searchParams.get("open");
  const part = new URL(u);
  part.searchParams.set("fragment", "events-drawer");
  try {
    const r = await fetch(part, { headers: { Accept: "text/html" } });
    if (!r.ok) throw new Error(r.statusText);
    await morphAll(await r.text());
  } catch {
    return location.assign(u);
  }
  history.pushState(null, "", u);
  moved();
  const open = document.querySelector("[data-drawer]");
  if (open) open.querySelector("h2").focus();
  else document.querySelector(`[data-open="${CSS.escape(was ?? "")}"]`)?.focus();
  show();
}

// show brings the boxes and what acts on them up to date.
function show() {
  const bar = document.querySelector("[data-selection]");
  if (!bar) return;
  const list = boxes();
  const open = new URL(location.href).searchParams.get("open");
  for (const b of list) {
    const on = all ? !except.has(b.value) : chosen.has(b.value);
    if (b.checked !== on) b.checked = on;
    const row = b.closest("tr");
    if (on !== (row.getAttribute("aria-selected") === "true")) on ? row.setAttribute("aria-selected", "true") : row.removeAttribute("aria-selected");
    row.classList.toggle("open", b.value === open);
  }
  const page = document.querySelector("[data-select-page]");
  if (page) {
    page.hidden = false;
    page.checked = list.length > 0 && list.every((b) => b.checked);
    page.indeterminate = !page.checked && list.some((b) => b.checked);
  }
  const some = all || chosen.size > 0;
  bar.classList.toggle("some", some);
  const every = bar.querySelector("[data-select-all]");
  if (every) {
    every.hidden = !some;
    every.querySelector("input").checked = all;
  }
  const button = bar.querySelector("[data-clear-selected]");
  const what = all ? every?.textContent.trim().replace(/^Select /, "") + (except.size ? ` but ${except.size}` : "") : `${count().toLocaleString("en-US")} ${count() === 1 ? "event" : "events"}`;
  if (button) {
    button.hidden = !some;
    if (some) button.textContent = `Clear ${what}`;
  }
  const says = bar.querySelector("[data-selected]");
  const text = some ? (all ? "Selected" : `${count().toLocaleString("en-US")} selected`) : says.dataset.none;
  if (says.textContent !== text) says.textContent = text;
}

// submit adds what the form alone does not say: chosen rows that are not on
// the page any more, and those taken out of all.
function submit(e) {
  const form = e.target;
  if (form.getAttribute("id") !== "events-clear") return; // form.id is its fields of that name
  for (const old of form.querySelectorAll("[data-added]")) old.remove();
  const here = new Set(boxes().map((b) => b.value));
  const put = (name, value) => {
    const i = Object.assign(document.createElement("input"), { type: "hidden", name, value });
    i.dataset.added = "";
    form.append(i);
  };
  if (all) except.forEach((id) => put("except", id));
  else chosen.forEach((c, value) => here.has(value) || put(c.name, value));
}
