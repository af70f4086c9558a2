// Live pages. One socket a tab hears of changes by number; parts of the page
// that name a kind of change (data-live) are fetched again, lists that follow a
// topic (data-topic) get their rows from the socket itself. After a break the
// socket asks for what came after the last number it saw.
import { open, ask, isUp } from "./link.js";
import { stale, again } from "./parts.js";
import { row, missing } from "./rows.js";

const every = 15000; // ms between two fetches of a part that changes by time (data-every)

let seq, topics;

export function start() {
  if (!document.body.dataset.live) return;
  seq = Number(document.body.dataset.seq) || 0;
  open({ address: document.body.dataset.live, build: document.body.dataset.build ?? "", want, hear, caughtUp: again });
  document.addEventListener("windlass:morphed", resubscribe);
  document.addEventListener("visibilitychange", () => document.hidden || again());
  // Some of what a page shows changes by time alone, and nobody announces it.
  setInterval(() => {
    if (!isUp() || document.hidden) return;
    for (const el of document.querySelectorAll("[data-every][id]")) stale(el.id);
  }, every);
  for (const b of document.querySelectorAll("[data-reload]")) b.addEventListener("click", () => location.reload());
}

function shown() {
  const set = new Set();
  for (const el of document.querySelectorAll("[data-live]")) {
    if (el !== document.body) el.dataset.live.split(" ").forEach((k) => k && set.add(k));
  }
  for (const el of document.querySelectorAll("[data-topic], [data-topic-empty]")) {
    set.add(el.dataset.topic || el.dataset.topicEmpty);
  }
  return [...set].sort().join(",");
}

// want is what the page wants to hear of: nothing while nobody looks at it.
function want() {
  topics = shown();
  return { topics: document.hidden ? "" : topics, after: seq, q: location.search.slice(1) };
}

// resubscribe follows a page whose parts have changed.
function resubscribe() {
  if (shown() !== topics) ask();
}

// moved is called when the page's query has changed.
export function moved() {
  ask();
}

function hear(f) {
  if (f.do === "refetch" && !f.topic) {
    seq = f.seq ?? 0; // the numbers may have begun anew
    for (const el of document.querySelectorAll("[data-live][id], [data-topic][id]")) stale(el.id);
    return beat();
  }
  if (f.seq > seq) seq = f.seq;
  if (f.do === "refetch") {
    lists(f.topic).forEach(stale);
  } else if (f.topic) {
    if (!row(f)) missing(f.topic).forEach(stale);
  } else if (f.kind) {
    for (const el of document.querySelectorAll(`[data-live~="${CSS.escape(f.kind)}"]`)) stale(el.id);
  } else return; // the server is still there
  beat();
}

// lists are the parts of the page that hold a topic's list.
function lists(topic) {
  const here = [...document.querySelectorAll(`[data-topic="${CSS.escape(topic)}"]`)].map((el) => (el.id ? el : el.closest("[id][data-live]"))?.id);
  return [...here, ...missing(topic)];
}

// beat has the dot breathe once, whatever number of changes came together.
let beating;

function beat() {
  beating ??= requestAnimationFrame(() => {
    beating = undefined;
    for (const a of document.getElementById("link")?.getAnimations({ subtree: true }) ?? []) a.cancel();
    document.getElementById("link")?.classList.remove("beat");
    requestAnimationFrame(() => document.getElementById("link")?.classList.add("beat"));
  });
}
