// The palette: the search page over any other. The server finds and draws the
// options; here are the keys, the choices made lately, and the doing.
import { parse } from "./morph.js";
import { set } from "./prefs.js";
import { redraw } from "./times.js";

const pause = 120; // ms after a letter before the server is asked
const kept = 6; // choices remembered

let dialog, input, list, timer, asked, busy;
const key = () => "wl_recent_" + document.body.dataset.user;

export function start() {
  dialog = document.getElementById("palette");
  if (!dialog) return;
  input = dialog.querySelector("input");
  list = document.getElementById("palette-list");
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, pause);
  });
  dialog.addEventListener("keydown", press);
  dialog.addEventListener("click", (e) => {
    if (e.target === dialog || e.target.closest("[data-palette-close]")) return dialog.close();
    const option = e.target.closest("[role=option]");
    if (option && !e.ctrlKey && !e.metaKey && !e.shiftKey) {
      e.preventDefault();
      choose(option);
    }
  });
  list.addEventListener("pointermove", (e) => mark(e.target.closest("[role=option]")));
  document.addEventListener("click", (e) => {
    if (e.target.closest("[data-palette]") && !e.ctrlKey && !e.metaKey && !e.shiftKey && open()) e.preventDefault();
  });
  // What one user looked for is not the next one's business.
  document.addEventListener("submit", (e) => e.target.getAttribute("action") === "/logout" && localStorage.removeItem(key()), true);
}

// open shows the palette; false where there is none.
export function open() {
  if (!dialog) return false;
  if (dialog.open) {
    dialog.close();
    return true;
  }
  for (const other of document.querySelectorAll("dialog[open]")) other.close();
  input.value = "";
  asked = undefined;
  dialog.showModal();
  input.focus();
  ask();
  return true;
}

// ask shows what the server finds. One question is under way at a time: the
// next is what the field says when it is answered.
async function ask() {
  const q = input.value.trim();
  if (busy || q === asked) return;
  busy = true;
  asked = q;
  try {
    const r = await fetch("/search?" + new URLSearchParams({ q, as: "options" }), { headers: { Accept: "text/html" } });
    if (r.redirected && new URL(r.url).pathname === "/login") return location.reload();
    if (!r.ok) throw new Error(r.statusText);
    show(q, parse(await r.text()));
  } catch {
    say("The search does not answer. Try again in a moment.");
    asked = undefined;
  } finally {
    busy = false;
  }
  if (dialog.open && input.value.trim() !== q) ask();
}

function show(q, found) {
  list.replaceChildren(...(q ? [] : recent()), found);
  redraw(list);
  list.scrollTop = 0;
  mark(options()[0]);
  const count = list.querySelector("[data-count]");
  if (count) dialog.querySelector("[data-palette-count]").textContent = count.textContent;
}

function say(text) {
  const p = document.createElement("p");
  p.className = "none dim";
  p.textContent = text;
  list.replaceChildren(p);
  dialog.querySelector("[data-palette-count]").textContent = text;
}

const options = () => [...list.querySelectorAll("[role=option]")];
const marked = () => list.querySelector("[role=option][aria-selected=true]");

function mark(option) {
  const was = marked();
  if (was === option) return;
  was?.setAttribute("aria-selected", "false");
  option?.setAttribute("aria-selected", "true");
  if (option) input.setAttribute("aria-activedescendant", option.id);
  else input.removeAttribute("aria-activedescendant");
}

function press(e) {
  const all = options();
  const at = all.indexOf(marked());
  const to = { ArrowDown: (at + 1) % all.length, ArrowUp: (at - 1 + all.length) % all.length, PageDown: Math.min(at + 8, all.length - 1), PageUp: Math.max(at - 8, 0) }[e.key];
  if (to !== undefined && all.length) {
    e.preventDefault();
    mark(all[to]);
    all[to].scrollIntoView({ block: "nearest" });
  } else if (e.key === "Enter" && !e.isComposing && e.target === input) {
    e.preventDefault();
    // Whoever types fast means what is being looked for.
    if (input.value.trim() !== asked || busy) return settle().then(() => choose(marked(), e.ctrlKey || e.metaKey));
    choose(marked(), e.ctrlKey || e.metaKey);
  }
}

// settle ends when the options are those of what the field says.
async function settle() {
  clearTimeout(timer);
  ask();
  while (busy) await new Promise((done) => setTimeout(done, 20));
}

function choose(option, apart) {
  if (!option || !dialog.open) return;
  const fields = JSON.parse(option.dataset.fields ?? "null") ?? [];
  remember(option, fields);
  if (!option.dataset.post) {
    if (apart) return window.open(option.href, "_blank", "noopener");
    dialog.close();
    return location.assign(option.href);
  }
  dialog.close();
  if (option.dataset.post === "/prefs") {
    for (const f of fields) set(f.Name, f.Value);
    return;
  }
  const form = Object.assign(document.createElement("form"), { method: "post", action: option.dataset.post, hidden: true });
  const token = document.querySelector("meta[name=csrf]").content;
  const back = location.pathname + location.search;
  for (const f of [{ Name: "csrf", Value: token }, { Name: "back", Value: back }, ...fields]) {
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name: f.Name, value: f.Value }));
  }
  document.body.append(form);
  form.requestSubmit();
}

// Recent choices are this browser's, each user's own.
function remember(option, fields) {
  const one = {
    title: option.querySelector("[data-title]").textContent, icon: option.dataset.icon, mono: option.querySelector(".mono") !== null,
    href: option.getAttribute("href"), post: option.dataset.post, fields,
  };
  if (one.post === "/logout") return;
  const rest = stored().filter((o) => o.href !== one.href || o.post !== one.post || o.title !== one.title);
  try {
    localStorage.setItem(key(), JSON.stringify([one, ...rest].slice(0, kept)));
  } catch { /* nothing is remembered, then */ }
}

function stored() {
  try {
    const v = JSON.parse(localStorage.getItem(key()) ?? "[]");
    return Array.isArray(v) ? v.filter((o) => o && typeof o.title === "string" && (o.post || o.href?.startsWith("/"))) : [];
  } catch {
    return [];
  }
}

function recent() {
  const choices = stored();
  if (!choices.length) return [];
  const group = document.createElement("div");
  group.setAttribute("role", "group");
  group.setAttribute("aria-labelledby", "palette-recent");
  const title = Object.assign(document.createElement("div"), { className: "title", id: "palette-recent", textContent: "Recent" });
  title.setAttribute("role", "presentation");
  group.append(title);
  choices.forEach((o, n) => {
    const el = document.createElement(o.post ? "button" : "a");
    el.className = "option";
    el.id = `palette-recent-${n}`;
    el.tabIndex = -1;
    el.setAttribute("role", "option");
    el.setAttribute("aria-selected", "false");
    el.dataset.icon = o.icon;
    if (o.post) {
      el.type = "button";
      el.dataset.post = o.post;
      el.dataset.fields = JSON.stringify(o.fields);
    } else el.setAttribute("href", o.href);
    const icon = dialog.querySelector("svg.icon").cloneNode(true);
    const use = icon.querySelector("use");
    use.setAttribute("href", use.getAttribute("href").replace(/#.*/, "#" + o.icon));
    const text = document.createElement("span");
    text.className = o.mono ? "cut mono" : "cut";
    text.dataset.title = "";
    text.textContent = o.title;
    el.append(icon, text);
    group.append(el);
  });
  return [group];
}
