// Swapping parts of the page in place, by id. Lists whose rows all have ids are
// swapped row by row: as many as fit into a picture, and without moving what
// somebody points at.
import htmx from "htmx.org/dist/htmx.esm.js";
import { redraw } from "./times.js";
import { breathe } from "./frames.js";
import { reconcile } from "./lists.js";

htmx.config.morphSkip = "[data-keep]"; // what the script shows and no server knows
htmx.config.morphSkipChildren = "[data-rowwise]";

// parse turns HTML into elements; rows of tables keep their shape in a template.
export function parse(html) {
  const t = document.createElement("template");
  t.innerHTML = html;
  return t.content;
}

// morph makes old look like next. Focus, typed text, scroll positions and
// opened details of what stays are kept. wait, when given, is called with the
// id of a part whose list has to wait until nobody points at it.
export async function morph(old, next, wait) {
  const lists = take(next);
  await swap(old, next);
  const now = old.isConnected ? old : document.getElementById(next.id);
  if (!now) return;
  for (const [key, rows] of lists) {
    const list = now.matches(`[data-rowwise="${key}"]`) ? now : now.querySelector(`[data-rowwise="${key}"]`);
    list?.removeAttribute("data-rowwise");
    if (list) await reconcile(list, rows, wait && (() => wait(now.id)));
  }
  redraw(now);
  now.dispatchEvent(new CustomEvent("windlass:morphed", { bubbles: true }));
}

// swap is morph without its announcement.
export const swap = (old, next) => htmx.swap({ target: old, text: next.outerHTML, swap: "outerMorph", sourceElement: old });

// morphAll swaps each element of the HTML that has its like on the page.
export async function morphAll(html, wait) {
  for (const next of [...parse(html).children]) {
    const old = next.id && document.getElementById(next.id);
    if (!old) continue;
    await breathe();
    await morph(old, next, wait);
  }
}

// take empties the lists that are to be swapped by rows. What the swap makes
// of each bears its key: the rows of a marked list are left as they are.
let keys = 0;

function take(next) {
  const found = new Map();
  for (const list of next.querySelectorAll("tbody")) {
    const rows = [...list.children];
    const ids = new Set(rows.map((r) => r.id));
    if (ids.has("") || ids.size < rows.length || list.querySelector("tbody")) continue;
    list.replaceChildren();
    list.setAttribute("data-rowwise", ++keys);
    found.set(keys, rows);
  }
  return found;
}
