// Rows of a list that follows a topic: rows that are on the page change in
// place, new ones gather behind a button, removed ones fade. Nothing moves under the
// pointer.
import { parse, morph } from "./morph.js";
import { redraw } from "./times.js";

const held = new Map(); // topic -> Map(id -> html), oldest first

// row applies a frame; false when there is no list of that topic on the page.
export function row(f) {
  const list = document.querySelector(`[data-topic="${CSS.escape(f.topic)}"]`);
  if (!list) return false;
  const here = document.getElementById(f.id);
  const waiting = held.get(f.topic) ?? new Map();
  held.set(f.topic, waiting);
  if (!f.html) {
    waiting.delete(f.id);
    if (here) {
      here.classList.add("gone");
      setTimeout(() => here.remove(), 300);
    }
  } else if (here) {
    morph(here, parse(f.html).firstElementChild);
  } else {
    waiting.set(f.id, f.html);
  }
  show(f.topic);
  return true;
}

// missing lists the parts to fetch when a topic's list is not on the page yet.
export function missing(topic) {
  return [...document.querySelectorAll(`[data-topic-empty="${CSS.escape(topic)}"]`)].map((el) => (el.id ? el : el.closest("[id][data-live]"))?.id);
}

function show(topic) {
  const button = document.querySelector(`[data-newrows="${CSS.escape(topic)}"]`);
  if (!button) return reveal(topic);
  const n = held.get(topic)?.size ?? 0;
  button.hidden = n === 0;
  if (n) button.textContent = `${n.toLocaleString("en-US")} ${n === 1 ? button.dataset.one : button.dataset.many}`;
}

function reveal(topic) {
  const list = document.querySelector(`[data-topic="${CSS.escape(topic)}"]`);
  const waiting = held.get(topic);
  if (!list || !waiting) return;
  for (const html of waiting.values()) {
    const el = parse(html).firstElementChild;
    el.classList.add("fresh");
    list.prepend(el);
    redraw(el);
  }
  waiting.clear();
  const max = Number(list.dataset.max) || 500;
  while (list.children.length > max) list.lastElementChild.remove();
  const button = document.querySelector(`[data-newrows="${CSS.escape(topic)}"]`);
  if (button) button.hidden = true;
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
