// The page's socket: it says what the page wants to hear of, connects again
// after a break, and is quiet while nobody looks. What is heard goes to live.js.
const root = document.documentElement;
const first = 250; // ms to the first try after a break; doubled each time
const longest = 30000;
const silence = 70000; // ms without a beat, which comes every 25 s, after which the connection is dead

let socket, page, delay = first, timer, due, nextTry, heard, asked = 0, waiting = 0, over = false;

// open connects the page; its want() gives what it wants to hear of, its hear()
// takes frames, its caughtUp() is told after each break.
export function open(p) {
  page = p;
  connect();
  addEventListener("online", () => retry());
  addEventListener("pageshow", (e) => e.persisted && retry());
  addEventListener("pagehide", () => socket?.close());
  document.addEventListener("visibilitychange", () => {
    if (isUp() && Date.now() - heard < silence) ask();
    else if (!document.hidden) retry();
  });
  // A server that vanished says nothing, and a browser does not see its pings.
  setInterval(() => isUp() && Date.now() - heard > silence && lost(), 10000);
  document.querySelector("[data-reconnect]")?.addEventListener("click", () => retry());
}

export const isUp = () => socket?.readyState === WebSocket.OPEN;

// ask says anew what the page wants. Until the answer comes, frames still tell
// of what it wanted before: the answer begins where the page is now.
export function ask() {
  if (!isUp()) return;
  waiting = ++asked;
  socket.send(JSON.stringify({ n: waiting, ...page.want() }));
}

function connect() {
  if (over) return;
  clearTimeout(timer);
  waiting = 0;
  const q = new URLSearchParams({ ...page.want(), build: page.build });
  const ws = (socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}${page.address}?${q}`));
  const hidden = document.hidden;
  let opened = false;
  ws.onopen = () => {
    opened = true;
    heard = Date.now();
    clearTimeout(due);
    root.dataset.link = "up";
    document.getElementById("lost")?.classList.remove("due");
    // A server that accepts and drops at once must not be hammered.
    setTimeout(() => ws.readyState === WebSocket.OPEN && (delay = first), 5000);
    if (document.hidden !== hidden) ask();
    page.caughtUp();
  };
  ws.onmessage = (e) => {
    if (ws !== socket) return;
    heard = Date.now();
    const m = JSON.parse(e.data);
    for (const f of Array.isArray(m) ? m : [m]) take(f);
  };
  ws.onclose = (e) => {
    if (ws !== socket) return;
    if (e.code === 4401) return signedOut();
    lost();
    if (!opened) isSignedOut().then((yes) => yes && signedOut());
  };
}

function take(f) {
  switch (f.do) {
    case "answer":
      if (f.n === waiting) waiting = 0;
      notice("stalled", false);
      return;
    case "updated":
    case "rights":
    case "stalled":
      return notice(f.do, true);
    case "resumed":
      notice("stalled", false);
      return page.caughtUp();
  }
  if (!waiting) page.hear(f);
}

function lost() {
  const old = socket;
  socket = undefined;
  old?.close();
  if (root.dataset.link !== "down") {
    root.dataset.link = "down";
    notice("stalled", false);
    // A short break is nobody's business.
    due = setTimeout(() => document.getElementById("lost")?.classList.add("due"), 1500);
  }
  const wait = delay * (0.7 + Math.random() * 0.6);
  delay = Math.min(delay * 2, longest);
  nextTry = Date.now() + wait;
  clearTimeout(timer);
  timer = setTimeout(connect, wait);
  countdown();
}

let counting;

function countdown() {
  clearTimeout(counting);
  const el = document.querySelector("[data-countdown]");
  if (!el || root.dataset.link !== "down") return;
  const s = Math.max(0, Math.ceil((nextTry - Date.now()) / 1000));
  el.textContent = s > 0 ? `Next try in ${s} s.` : "Trying now.";
  counting = setTimeout(countdown, 1000);
}

function retry() {
  if (over || isUp() && Date.now() - heard < silence) return;
  delay = first;
  const old = socket;
  socket = undefined;
  old?.close();
  connect();
}

// isSignedOut asks why a connection was refused: a socket does not say.
async function isSignedOut() {
  try {
    return (await fetch("/status?fragment=engine-status")).status === 401;
  } catch {
    return false; // nobody is there
  }
}

// signedOut ends the life of the page. It stays as it is: somebody may have
// written something into it.
export function signedOut() {
  if (over) return;
  over = true;
  clearTimeout(timer);
  clearTimeout(due);
  socket?.close();
  socket = undefined;
  root.dataset.link = "over";
  for (const name of ["stalled", "rights", "updated"]) notice(name, false);
  const link = document.querySelector("[data-signin]");
  if (link) link.href = "/login?next=" + encodeURIComponent(location.pathname + location.search);
  notice("signedout", true);
}

// notice shows one of the sentences that the page has at its top, or hides it.
function notice(name, on) {
  const el = document.getElementById("notice-" + name);
  if (el && el.hidden === on) el.hidden = !on;
}
