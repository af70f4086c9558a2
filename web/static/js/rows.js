// Rows of a list that follows a topic: rows that are on the page change in
// place, new ones gather behind a button, removed ones fade. Nothing moves under
// the pointer. However many come at once, each picture takes its share.
import { parse } from "./morph.js";
import { redraw } from "./times.js";
import { breathe, picture } from "./frames.js";
import { remove, renew } from "./lists.js";
import { pointsAt, whenLeft } from "./pointer.js";
import { stale } from "./parts.js";

const striking = 50; // of more rows at once none stands out

const held = new Map(); // topic -> Map(id -> html), oldest first
const due = new Map(); // topic and id -> the newest frame of it
let drawing = false;

const listOf = (topic) => document.querySelector(`[data-topic="${CSS.escape(topic)}"]`);

const most = (list) => Number(list.dataset.max) || 200; // rows that a list may grow to

// row takes a frame; false when there is no list of that topic on the page.
export function row(f) {
  if (!listOf(f.topic)) return false;
  due.set(f.topic + "\n" + f.id, f);
  if (!drawing) draw();
  return true;
}

async function draw() {
  drawing = true;
  await picture(); // what comes with it is drawn with it
  const topics = new Set(), touched = new Set();
  while (due.size) {
    const [key, f] = due.entries().next().value;
    due.delete(key);
    const list = listOf(f.topic);
    if (!list) continue;
    await apply(list, f, touched);
    topics.add(f.topic);
    await breathe();
  }
  drawing = false;
  topics.forEach(show);
  for (const list of touched) list.dispatchEvent(new CustomEvent("windlass:morphed", { bubbles: true }));
}

async function apply(list, f, touched) {
  const waiting = held.get(f.topic) ?? new Map();
  held.set(f.topic, waiting);
  const here = document.getElementById(f.id);
  if (!f.html) {
    for (const id of f.id.split(" ")) {
      waiting.delete(id);
      const el = document.getElementById(id);
      if (el) leave(list, el);
    }
  } else if (here) {
    await renew(here, parse(f.html).firstElementChild);
    touched.add(list);
  } else {
    waiting.set(f.id, waiting.size < most(list) ? f.html : ""); // of more none will be shown from here
  }
}

// leave fades a row at once, but closes the gap only when nobody points there.
const leaving = new Map(); // list -> rows

function leave(list, el) {
  if (!pointsAt(list)) return remove(el);
  el.classList.add("leaving");
  const rows = leaving.get(list) ?? new Set();
  leaving.set(list, rows.add(el));
  whenLeft(list, () => {
    leaving.delete(list);
    for (const r of rows) if (r.classList.contains("leaving")) remove(r);
  });
}

// missing lists the parts to fetch when a topic's list is not on the page yet.
export function missing(topic) {
  return [...document.querySelectorAll(`[data-topic-empty="${CSS.escape(topic)}"]`)].map((el) => (el.id ? el : el.closest("[id][data-live]"))?.id);
}

function show(topic) {
  const button = document.querySelector(`[data-newrows="${CSS.escape(topic)}"]`);
  if (!button) return reveal(topic);
  const n = revealing.has(topic) ? 0 : (held.get(topic)?.size ?? 0);
  if (n) button.textContent = `${n.toLocaleString("en-US")} ${n === 1 ? button.dataset.one : button.dataset.many}`;
  if (button.hidden !== (n === 0)) button.hidden = n === 0;
}

// reveal puts what has gathered on top of the list, a picture's share at a time.
// What changes or goes meanwhile does so where it waits. A list that would grow
// beyond what one page may hold is fetched anew: its links to further pages
// begin where it ends.
const revealing = new Set(); // topics

async function reveal(topic) {
  const list = listOf(topic);
  const waiting = held.get(topic);
  if (!list || !waiting?.size || revealing.has(topic)) return;
  if (list.children.length + waiting.size > most(list) || [...waiting.values()].includes("")) {
    waiting.clear();
    show(topic);
    return stale(list.closest("[id][data-live]")?.id ?? list.id);
  }
  revealing.add(topic);
  const ids = [...waiting.keys()];
  show(topic);
  let above = null;
  for (const id of ids.reverse()) {
    const html = waiting.get(id);
    waiting.delete(id);
    if (!html || document.getElementById(id)) continue;
    const el = parse(html).firstElementChild;
    if (ids.length <= striking) el.classList.add("fresh");
    redraw(el);
    if (above?.parentNode === list) above.after(el);
    else list.prepend(el);
    above = el;
    await breathe();
  }
  revealing.delete(topic);
  show(topic);
}

document.addEventListener("click", (e) => {
  const b = e.target.closest("[data-newrows]");
  if (b) reveal(b.dataset.newrows);
});

// What a part of the page was drawn with anew is not waiting any more.
document.addEventListener("windlass:morphed", () => {
  for (const [topic, waiting] of held) {
    for (const id of waiting.keys()) if (document.getElementById(id)) waiting.delete(id);
    show(topic);
  }
});
