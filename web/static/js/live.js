// Live pages. One socket a tab hears of changes by number; parts of the page
// that name a kind of change (data-live) are fetched again, lists that follow a
// topic (data-topic) get their rows from the socket itself. After a break the
// socket asks for what came after the last number it saw.
import { morphAll } from "./morph.js";
import { row, missing } from "./rows.js";

const root = document.documentElement;
const gap = 250; // ms between two fetches of one part
const every = 15000; // ms between two fetches of a part that changes by time (data-every)
const gather = 15; // ms in which changes that come together are fetched together

let socket, seq, topics, delay, timer, due, nextTry;

export function start() {
  if (!document.body.dataset.live) return;
  seq = Number(document.body.dataset.seq) || 0;
  delay = 250;
  connect();
  addEventListener("online", () => retry());
  addEventListener("pageshow", (e) => e.persisted && retry());
  addEventListener("pagehide", () => socket?.close());
  document.addEventListener("visibilitychange", () => document.hidden || flush());
  document.addEventListener("windlass:morphed", resubscribe);
  // Some of what a page shows changes by time alone, and nobody announces it.
  setInterval(() => {
    if (root.dataset.link !== "up" || document.hidden) return;
    for (const el of document.querySelectorAll("[data-every][id]")) stale(el.id);
  }, every);
  document.querySelector("[data-reconnect]")?.addEventListener("click", () => retry());
}

function wanted() {
  const set = new Set();
  for (const el of document.querySelectorAll("[data-live]")) {
    if (el !== document.body) el.dataset.live.split(" ").forEach((k) => k && set.add(k));
  }
  for (const el of document.querySelectorAll("[data-topic], [data-topic-empty]")) {
    set.add(el.dataset.topic || el.dataset.topicEmpty);
  }
  return [...set].sort().join(",");
}

function connect() {
  clearTimeout(timer);
  timer = undefined;
  topics = wanted();
  const q = new URLSearchParams({ topics, after: seq, q: location.search.slice(1) });
  const ws = (socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}${document.body.dataset.live}?${q}`));
  ws.onopen = () => {
    clearTimeout(due);
    root.dataset.link = "up";
    document.getElementById("lost")?.classList.remove("due");
    // A server that accepts and drops at once must not be hammered.
    setTimeout(() => ws.readyState === WebSocket.OPEN && (delay = 250), 5000);
  };
  ws.onmessage = (e) => hear(JSON.parse(e.data));
  ws.onclose = (e) => {
    if (ws !== socket) return;
    if (e.code === 4401) {
      location.assign("/login?next=" + encodeURIComponent(location.pathname + location.search));
      return;
    }
    lost();
  };
}

function lost() {
  if (root.dataset.link !== "down") {
    root.dataset.link = "down";
    // A short break is nobody's business.
    due = setTimeout(() => document.getElementById("lost")?.classList.add("due"), 1500);
  }
  const wait = delay * (0.7 + Math.random() * 0.6);
  delay = Math.min(delay * 2, 30000);
  nextTry = Date.now() + wait;
  timer = setTimeout(connect, wait);
  countdown();
}

function countdown() {
  const el = document.querySelector("[data-countdown]");
  if (!el || root.dataset.link !== "down") return;
  const s = Math.max(0, Math.ceil((nextTry - Date.now()) / 1000));
  el.textContent = s > 0 ? `Next try in ${s} s.` : "Trying now.";
  setTimeout(countdown, 1000);
}

function retry() {
  if (socket?.readyState === WebSocket.OPEN) return;
  delay = 250;
  const old = socket;
  socket = undefined;
  old?.close();
  connect();
}

// resubscribe follows a page whose parts or filter have changed.
function resubscribe() {
  if (root.dataset.link !== "up" || wanted() === topics) return;
  const old = socket;
  connect();
  old.close();
}

// moved is called when the page's query has changed.
export function moved() {
  if (!socket) return;
  topics = undefined;
  resubscribe();
}

function hear(f) {
  if (f.seq > seq) seq = f.seq;
  const link = document.getElementById("link");
  if (link) {
    link.classList.remove("beat");
    void link.offsetWidth;
    link.classList.add("beat");
  }
  if (f.do === "refetch") {
    for (const el of document.querySelectorAll("[data-live][id], [data-topic][id]")) stale(el.id);
  } else if (f.topic) {
    if (!row(f)) missing(f.topic).forEach(stale);
  } else {
    for (const el of document.querySelectorAll(`[data-live~="${CSS.escape(f.kind)}"]`)) stale(el.id);
  }
}

// Parts that are out of date are fetched together: all of the page's own in
// one request, those with an address of their own (data-src) one by one.
const waiting = new Set();
let planned, fetched = 0;

export function stale(id) {
  if (!id) return;
  waiting.add(id);
  if (planned || document.hidden) return;
  planned = setTimeout(flush, Math.max(gather, fetched + gap - Date.now()));
}

async function flush() {
  clearTimeout(planned);
  planned = undefined;
  if (!waiting.size || busy) return;
  const ids = [...waiting];
  waiting.clear();
  fetched = Date.now();
  busy = true;
  try {
    const own = [];
    const jobs = [];
    for (const id of ids) {
      const el = document.getElementById(id);
      if (!el) continue;
      // A part that lies in another one that is fetched comes with it.
      if (ids.some((o) => o !== id && document.getElementById(o)?.contains(el))) continue;
      if (el.dataset.src) jobs.push(get(el.dataset.src, id));
      else own.push(id);
    }
    if (own.length) {
      jobs.push(get(location.pathname + location.search, own.join(",")));
    }
    for (const html of await Promise.all(jobs)) if (html) await morphAll(html);
  } finally {
    busy = false;
    if (waiting.size) stale([...waiting][0]);
  }
}
let busy = false;

async function get(address, fragment) {
  const u = new URL(address, location.href);
  u.searchParams.set("fragment", fragment);
  try {
    const r = await fetch(u, { headers: { Accept: "text/html" } });
    if (r.status === 401) location.reload();
    return r.ok ? await r.text() : "";
  } catch {
    return ""; // the socket tells when the server is back
  }
}
