// Keyboard. Nothing here fires while somebody types, but for what is pressed
// with Ctrl. Lists need nothing of their own: rows are those of tables, or what
// has data-row; a row is opened by its data-open or its first link and selected
// by its checkbox; data-key="#" names the button for what is selected.
import { open as palette } from "./palette.js";

const rowsOf = "main table.t > tbody > tr, main [data-row]";
const patience = 1500; // ms between g and the page's letter

export function start() {
  let going = 0;
  document.addEventListener("keydown", (e) => {
    if ((e.ctrlKey || e.metaKey) && !e.altKey && !e.shiftKey && e.key.toLowerCase() === "k") {
      if (palette()) e.preventDefault();
      return;
    }
    if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.key === "Escape") return escape(e);
    if (e.target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], dialog[open]")) return;
    if (going && Date.now() - going < patience) {
      going = 0;
      const page = document.querySelector(`[data-go="${CSS.escape(e.key)}"]`);
      if (page) {
        e.preventDefault();
        page.click();
        return;
      }
    }
    const act = keys[e.key];
    if (e.key === "g") going = Date.now();
    else if (act && act(e) !== false) e.preventDefault();
  });
  // The names of keys are those of this machine.
  if (/Mac|iPhone|iPad/.test(navigator.platform)) {
    for (const k of document.querySelectorAll("[data-ctrl]")) k.textContent = "\u2318";
  }
}

const keys = {
  "?": () => document.getElementById("shortcuts")?.showModal(),
  "/": () => {
    const filter = document.querySelector("main input[type=search]");
    if (!filter) return palette();
    filter.focus();
    filter.select();
  },
  j: () => step(1),
  k: () => step(-1),
  x: (e) => select(e, false),
  X: (e) => select(e, true),
  u: () => document.querySelector("[data-toast] form button, main form[action$='/undo'] button")?.click(),
  "#": () => {
    if (!document.querySelector("main :is([data-select], [data-tick], [data-select-all] input):checked")) return false;
    const button = [...document.querySelectorAll('main [data-key="#"]')].find((b) => b.checkVisibility() && !b.disabled);
    if (!button) return false;
    button.click();
  },
  Enter: (e) => {
    if (!e.target.matches(rowsOf)) return false;
    e.target.querySelector("[data-open], a[href]")?.click();
  },
};

// escape closes what is open, the innermost first.
function escape(e) {
  const menu = document.querySelector("details[data-menu][open]");
  const dialog = document.querySelector("dialog[open]");
  if (dialog) return; // the browser closes it, or its own script
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
    return;
  }
  if (e.target.matches("main input, main select, main textarea")) return e.target.blur();
  document.querySelector("[data-close]")?.click();
}

// step moves the focus through the rows of the page.
function step(by) {
  const rows = [...document.querySelectorAll(rowsOf)].filter((r) => r.checkVisibility());
  if (!rows.length) return;
  const at = rows.indexOf(document.activeElement?.closest(rowsOf));
  const row = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + by))];
  row.tabIndex = -1;
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

// select presses the checkbox of the row that has the focus, as the pointer
// would: what a press means is the page's. With Shift all from the last one on.
function select(e, range) {
  const box = document.activeElement?.closest(rowsOf)?.querySelector("input[type=checkbox]");
  if (!box) return false;
  if (range) box.checked = false; // the press sets it
  box.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, shiftKey: range }));
}
