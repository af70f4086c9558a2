// Lists on the page, row by row. Rows that are there change in place; new ones
// come and old ones fade, but not under the pointer: then they wait, and a
// button says how many.
import { swap } from "./morph.js";
import { redraw } from "./times.js";
import { breathe } from "./frames.js";
import { pointsAt, whenLeft } from "./pointer.js";

const fade = 300; // ms, as in the stylesheet

const drawn = new WeakMap(); // row -> the HTML it was drawn from

// reconcile makes the list hold the rows, in their order. wait, when given, may be
// called in place of moving anything: then to draw the list again.
export async function reconcile(list, rows, wait) {
  const live = wait && list.children.length > 0; // else it is another list, and looks as if it had been there
  const next = new Map(rows.map((r) => [r.id, r]));
  for (const [id, row] of next) {
    await breathe();
    const here = document.getElementById(id);
    if (here?.parentElement === list) await renew(here, row);
  }
  if (!list.isConnected) return;
  const gone = staying(list).filter((el) => !next.has(el.id));
  const fresh = rows.filter((r) => document.getElementById(r.id)?.parentElement !== list);
  if (!gone.length && !fresh.length && inOrder(list, rows)) return settled(list);
  if (wait && pointsAt(list)) {
    for (const el of gone) el.classList.add("leaving");
    whenLeft(list, wait);
    return hold(list, fresh.length, gone.length, wait);
  }
  settled(list);
  gone.forEach((el) => (live ? remove(el) : el.remove()));
  let at = staying(list)[0] ?? null;
  for (const row of rows) {
    await breathe();
    const here = document.getElementById(row.id);
    const el = here?.parentElement === list ? here : row;
    if (el === at) {
      at = after(at);
      continue;
    }
    if (el === row && live) el.classList.add("fresh");
    if (at && at.parentElement !== list) at = null;
    list.insertBefore(el, at);
    if (el === row) {
      drawn.set(el, el.outerHTML);
      redraw(el);
    }
  }
}

// renew changes a row in place, if there is something to change.
export async function renew(here, row) {
  const html = row.outerHTML;
  here.classList.remove("leaving", "gone");
  if (drawn.get(here) === html) return;
  if (!here.isEqualNode(row)) {
    if (inUse(here) || here.children.length !== row.children.length) await swap(here, row);
    else exchange(here, row);
  }
  const now = here.isConnected ? here : document.getElementById(row.id);
  if (!now) return;
  drawn.set(now, html);
  redraw(now);
}

// inUse reports whether somebody has opened, chosen or focused something in a
// row, which only the careful swap keeps.
const inUse = (row) => row.contains(document.activeElement) || row.querySelector("details[open], :checked") !== null;

// exchange puts what is in the cells that differ: a tenth of the work of the
// careful swap.
function exchange(here, row) {
  for (const a of row.attributes) if (here.getAttribute(a.name) !== a.value) here.setAttribute(a.name, a.value);
  for (const a of [...here.attributes]) if (!row.hasAttribute(a.name)) here.removeAttribute(a.name);
  [...row.children].forEach((cell, i) => {
    const old = here.children[i];
    if (!old.isEqualNode(cell)) old.replaceWith(cell);
  });
}

// remove has a row fade and then go. One that was given anew meanwhile stays.
export function remove(el) {
  el.classList.remove("leaving");
  el.classList.add("gone");
  setTimeout(() => el.classList.contains("gone") && el.remove(), fade);
}

const staying = (list) => [...list.children].filter((el) => !el.classList.contains("gone"));

function after(el) {
  do el = el.nextElementSibling;
  while (el?.classList.contains("gone"));
  return el;
}

function inOrder(list, rows) {
  const here = staying(list);
  return here.length === rows.length && here.every((el, i) => el.id === rows[i].id);
}

// hold shows how many rows wait, and draws them when it is pressed.
function hold(list, fresh, gone, wait) {
  const button = document.getElementById("held");
  if (!button) return;
  const words = [];
  if (fresh) words.push(`${fresh.toLocaleString("en-US")} new`);
  if (gone) words.push(`${gone.toLocaleString("en-US")} gone`);
  button.textContent = (words.join(", ") || "New order") + ": show";
  button.hidden = false;
  button.onclick = () => {
    button.hidden = true;
    wait();
  };
}

function settled(list) {
  const button = document.getElementById("held");
  if (button && !pointsAt(list)) button.hidden = true;
}
