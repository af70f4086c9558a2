// Following a log: rows come drawn from a socket of its own and are appended as
// they are. Where the socket left off it goes on after a break; what the server
// or this page passed over stands in the list as a gap, with a way to it.
import { redraw } from "./times.js";

const maxRows = 2000; // in the page, and held back while it is paused
const burst = 250; // rows after which a picture is drawn
const near = 24; // px from the end that still count as the end

export function follow(list) {
  const pause = document.querySelector("[data-logs-pause]");
  const more = document.querySelector("[data-logs-end]");
  const count = document.querySelector("[data-logs-count]");
  const state = document.getElementById("logs-state");
  let after = list.dataset.after;
  let paused = false;
  let atEnd = true; // the reader is at the end and is kept there
  let held = []; // frames that wait to be drawn
  let waiting = 0; // lines in them
  let planned = false;
  let drawn = 0; // when, and what it cost
  let cost = 0;
  let below = 0; // lines added since the reader left the end
  let delay = 250;
  let link = "connecting";
  let ws, timer, ended = false;

  function connect() {
    const url = new URL(list.dataset.logs, location.href);
    url.protocol = location.protocol.replace("http", "ws");
    url.searchParams.set("after", after);
    ws = new WebSocket(url);
    ws.onopen = () => {
      link = "up";
      show();
      setTimeout(() => ws.readyState === WebSocket.OPEN && (delay = 250), 5000);
    };
    ws.onmessage = (e) => hear(JSON.parse(e.data));
    ws.onclose = (e) => {
      if (ended) return;
      if (e.code === 4401) {
        location.assign("/login?next=" + encodeURIComponent(location.pathname + location.search));
        return;
      }
      link = "down";
      show();
      timer = setTimeout(connect, delay * (0.7 + Math.random() * 0.6));
      delay = Math.min(delay * 2, 30000);
    };
  }

  function hear(f) {
    if (ended) return;
    f.from = after;
    after = f.after;
    hold(f);
    if (paused || (!atEnd && list.childElementCount > 2 * maxRows)) show();
    else plan();
  }

  // hold keeps the newest frames until they are drawn; of what falls out the
  // number is kept, and where it began. A page in the background draws nothing.
  function hold(f) {
    held.push(f);
    waiting += f.lines;
    const room = paused || document.hidden || !atEnd ? maxRows : 2 * burst;
    let lost = 0, from;
    while (waiting > room && held.length > 1) {
      const old = held.shift();
      waiting -= old.lines;
      lost += old.lines + (old.skipped ?? 0) + (old.before ?? 0);
      from ??= old.beforeFrom ?? old.from;
    }
    if (!lost) return;
    held[0].before = (held[0].before ?? 0) + lost;
    held[0].beforeFrom ??= from;
  }

  // plan draws what is held in the next picture; when many lines come, so
  // seldom that most of the time is left for receiving them.
  function plan() {
    if (planned) return;
    planned = true;
    const wait = Math.max(0, drawn + (waiting > 200 ? 150 + 3 * cost : 0) - performance.now());
    setTimeout(() => requestAnimationFrame(() => {
      planned = false;
      if (ended) return;
      if (!paused) release();
      show();
    }), wait);
  }

  // release adds what is held, in several pictures if it is much.
  function release() {
    const began = performance.now();
    if (!held.length) return;
    document.getElementById("log-empty")?.remove();
    for (let lines = 0; held.length && lines < burst; ) {
      const f = held.shift();
      waiting -= f.lines;
      lines += f.lines;
      if (f.before) gap(`${f.before.toLocaleString("en-US")} ${f.before === 1 ? "line" : "lines"} passed before these`, f.beforeFrom);
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
    if (held.length) plan();
  }

  function trim(n) {
    if (n <= 0) return;
    const top = document.createRange();
    top.setStart(list, 0);
    top.setEndBefore(list.children[n]);
    top.deleteContents();
  }

  function gap(text, from) {
    const li = document.createElement("li");
    li.className = "gap";
    li.append(text + " ");
    if (from) {
      const a = document.createElement("a");
      a.href = list.dataset.past.replace("from=-", "from=" + encodeURIComponent(from));
      a.textContent = "Show them";
      li.append(a);
    }
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

  // left is called when the reader was taken away from the end.
  function left() {
    atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < near;
    show();
  }

  const settle = () => {
    if (atEnd && !paused) list.scrollTop = list.scrollHeight;
  };

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
  const watch = new ResizeObserver(() => {
    box = size();
    settle();
  });
  watch.observe(list);
  pause.addEventListener("click", toggle);
  more.addEventListener("click", toEnd);
  const away = () => ws?.close();
  addEventListener("pagehide", away);
  list.scrollTop = list.scrollHeight;
  show();
  connect();

  function stop() {
    ended = true;
    clearTimeout(timer);
    watch.disconnect();
    removeEventListener("pagehide", away);
    ws?.close();
  }
  return { toggle, toEnd, stop, settle, left };
}
