// The log viewer: rows come drawn from a socket of its own and are appended as
// they are. Where the socket left off it goes on after a break; what the server
// passed over stands in the list as a gap.
import { redraw } from "./times.js";

const maxRows = 2000; // in the page, and held back while it is paused
const near = 24; // px from the end that still count as the end

export function start() {
  const list = document.getElementById("log");
  if (!list) return;
  oneLine(list);
  const aim = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  if (aim) aim.scrollIntoView({ block: "center" });
  else list.scrollTop = list.scrollHeight;
  if (list.dataset.logs) follow(list);
}

// oneLine switches wrapping without a new page; the address keeps it.
function oneLine(list) {
  const box = document.querySelector("[data-logs-oneline]");
  box?.addEventListener("change", () => {
    list.classList.toggle("oneline", box.checked);
    const u = new URL(location.href);
    if (box.checked) u.searchParams.set("oneline", "1");
    else u.searchParams.delete("oneline");
    history.replaceState(history.state, "", u);
    if (list.dataset.logs && !paused) list.scrollTop = list.scrollHeight;
  });
}

let paused = false;

function follow(list) {
  const pause = document.querySelector("[data-logs-pause]");
  const more = document.querySelector("[data-logs-end]");
  const count = document.querySelector("[data-logs-count]");
  const state = document.getElementById("logs-state");
  let after = list.dataset.after;
  let atEnd = true; // the reader is at the end and is kept there
  let held = []; // frames that wait to be drawn
  let waiting = 0; // lines in them
  let planned = false;
  let drawn = 0; // when, and what it cost
  let cost = 0;
  let below = 0; // lines added since the reader left the end
  let delay = 250;
  let link = "connecting";

  function connect() {
    const url = new URL(list.dataset.logs, location.href);
    url.protocol = location.protocol.replace("http", "ws");
    url.searchParams.set("after", after);
    const ws = new WebSocket(url);
    ws.onopen = () => {
      link = "up";
      show();
      setTimeout(() => ws.readyState === WebSocket.OPEN && (delay = 250), 5000);
    };
    ws.onmessage = (e) => hear(JSON.parse(e.data));
    ws.onclose = (e) => {
      if (e.code === 4401) {
        location.assign("/login?next=" + encodeURIComponent(location.pathname + location.search));
        return;
      }
      link = "down";
      show();
      setTimeout(connect, delay * (0.7 + Math.random() * 0.6));
      delay = Math.min(delay * 2, 30000);
    };
    addEventListener("pagehide", () => ws.close(), { once: true });
  }

  function hear(f) {
    after = f.after;
    hold(f);
    if (paused || (!atEnd && list.childElementCount > maxRows)) show();
    else plan();
  }

  // hold keeps the newest frames until they are drawn; of what falls out the
  // number is kept. A page in the background draws nothing.
  function hold(f) {
    held.push(f);
    waiting += f.lines;
    let lost = 0;
    while (waiting > maxRows && held.length > 1) {
      const old = held.shift();
      waiting -= old.lines;
      lost += old.lines + (old.skipped ?? 0) + (old.before ?? 0);
    }
    if (lost) held[0].before = (held[0].before ?? 0) + lost;
  }

  // plan draws what is held in the next picture; when many lines come, so
  // seldom that most of the time is left for receiving them.
  function plan() {
    if (planned) return;
    planned = true;
    const wait = Math.max(0, drawn + (waiting > 200 ? 200 + 3 * cost : 0) - performance.now());
    setTimeout(() => requestAnimationFrame(() => {
      planned = false;
      if (!paused) release();
      show();
    }), wait);
  }

  // release adds what is held.
  function release() {
    const began = performance.now();
    const frames = held;
    held = [];
    waiting = 0;
    if (!frames.length) return;
    document.getElementById("log-empty")?.remove();
    for (const f of frames) {
      if (f.before) {
        if (atEnd) list.replaceChildren(); // all of it is older than what would be kept
        gap(`${f.before.toLocaleString("en-US")} lines passed before these`);
      }
      const t = document.createElement("template");
      t.innerHTML = f.html;
      redraw(t.content);
      list.append(t.content);
      if (!atEnd) below += f.lines;
    }
    if (atEnd) {
      trim(list.childElementCount - maxRows);
      list.scrollTop = list.scrollHeight;
    }
    drawn = performance.now();
    cost = drawn - began;
  }

  function trim(n) {
    if (n <= 0) return;
    const top = document.createRange();
    top.setStart(list, 0);
    top.setEndBefore(list.children[n]);
    top.deleteContents();
  }

  function gap(text) {
    const li = document.createElement("li");
    li.className = "gap";
    li.textContent = text;
    list.append(li);
  }

  function show() {
    const kept = paused || !atEnd ? waiting + (held[0]?.before ?? 0) : 0;
    state.hidden = false;
    state.className = "pill " + (link !== "up" ? "warn" : paused ? "off" : "run");
    const word = link === "connecting" ? "Connecting" : link === "down" ? "Reconnecting" : paused ? "Paused" : "Following";
    if (state.textContent !== word) state.firstElementChild.textContent = word;
    pause.hidden = false;
    pause.setAttribute("aria-pressed", String(paused));
    pause.querySelector("span").textContent = paused ? "Resume" : "Pause";
    const n = kept + below;
    more.hidden = n === 0;
    if (n) count.textContent = `${n.toLocaleString("en-US")} new ${n === 1 ? "line" : "lines"}${paused ? " held back: resume" : ": go to the end"}`;
  }

  function toEnd() {
    paused = false;
    atEnd = true;
    below = 0;
    release();
    list.scrollTop = list.scrollHeight;
    show();
  }

  function toggle() {
    if (paused) return toEnd();
    paused = true;
    show();
  }

  // A list that was made larger or smaller has moved, but nobody moved it.
  const size = () => `${list.clientWidth} ${list.clientHeight}`;
  let box = size();
  list.addEventListener("scroll", () => {
    if (size() !== box) return;
    const end = list.scrollHeight - list.scrollTop - list.clientHeight < near;
    if (end === atEnd) return;
    atEnd = end;
    if (end && !paused) toEnd();
    else show();
  }, { passive: true });
  new ResizeObserver(() => {
    box = size();
    if (atEnd && !paused) list.scrollTop = list.scrollHeight;
  }).observe(list);
  pause.addEventListener("click", toggle);
  more.addEventListener("click", toEnd);
  document.addEventListener("keydown", (e) => {
    if (e.key !== " " || e.ctrlKey || e.metaKey || e.altKey || e.target.closest("input, textarea, select, button, a, summary, dialog")) return;
    e.preventDefault();
    toggle();
  });
  list.scrollTop = list.scrollHeight;
  show();
  connect();
}
