// Swapping parts of the page in place, by id.
import htmx from "htmx.org/dist/htmx.esm.js";
import { redraw } from "./times.js";

// parse turns HTML into elements; rows of tables keep their shape in a template.
export function parse(html) {
  const t = document.createElement("template");
  t.innerHTML = html;
  return t.content;
}

// morph makes old look like next. Focus, typed text, scroll positions and
// opened details of what stays are kept.
export async function morph(old, next) {
  await htmx.swap({ target: old, text: next.outerHTML, swap: "outerMorph", sourceElement: old });
  const now = old.isConnected ? old : document.getElementById(next.id);
  if (now) {
    redraw(now);
    now.dispatchEvent(new CustomEvent("windlass:morphed", { bubbles: true }));
  }
}

// morphAll swaps each element of the HTML that has its like on the page.
export async function morphAll(html) {
  for (const next of [...parse(html).children]) {
    const old = next.id && document.getElementById(next.id);
    if (old) await morph(old, next);
  }
}
