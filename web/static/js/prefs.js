// The switches of the frame, without loading the page again. The server keeps
// them with the user; what could not be kept is said.
import { redraw } from "./times.js";
import { toast } from "./toast.js";

const root = document.documentElement;
const themes = { "": ["System", "system", "light"], light: ["Light", "sun", "dark"], dark: ["Dark", "moon", "system"] };
let chosen = {}, busy = false; // what the server has not been told yet

export function start() {
  document.addEventListener("submit", (e) => {
    const pref = e.target.dataset.pref;
    if (!pref) return;
    e.preventDefault();
    set(pref, e.target.querySelector("button").value);
  });
  // Whoever leaves at once has chosen too.
  addEventListener("pagehide", () => Object.keys(chosen).length && keep());
}

export function set(pref, value) {
  for (const button of document.querySelectorAll(`[data-pref="${pref}"] button`)) draw[pref](value, button);
  change[pref](value);
  chosen[pref] = value;
  tell();
}

// tell sends one choice after the other: the last one is the one that stays.
async function tell() {
  if (busy) return;
  busy = true;
  while (Object.keys(chosen).length) await keep();
  busy = false;
}

async function keep() {
  const token = document.querySelector("meta[name=csrf]").content;
  const body = new URLSearchParams({ ...chosen, csrf: token });
  chosen = {};
  try {
    const r = await fetch("/prefs", { method: "POST", body, headers: { Accept: "application/json" }, keepalive: true });
    if (!r.ok) throw new Error(r.statusText);
  } catch {
    toast("This choice could not be kept. It lasts until the page is loaded again.", "bad");
  }
}

const change = {
  theme: (value) => (root.dataset.theme = value === "system" ? "" : value),
  rail: (value) => (root.dataset.rail = value === "icons" ? value : ""),
  density: (value) => (root.dataset.density = value === "compact" ? value : ""),
  zone(value) {
    root.dataset.zone = value;
    redraw(document);
    document.dispatchEvent(new CustomEvent("windlass:zone"));
  },
};

const text = (button, words) => (button.querySelector("[data-pref-text]").textContent = words);

// draw makes a button offer what it was not pressed for.
const draw = {
  theme(value, button) {
    const [name, icon, next] = themes[value === "system" ? "" : value];
    button.value = next;
    text(button, name);
    const use = button.querySelector("use");
    use.setAttribute("href", use.getAttribute("href").replace(/#.*/, "#" + icon));
  },
  zone(value, button) {
    button.value = value === "local" ? "utc" : "local";
    text(button, value === "local" ? "Local" : "UTC");
  },
  rail(value, button) {
    button.value = value === "icons" ? "labels" : "icons";
  },
  density(value, button) {
    button.value = value === "compact" ? "normal" : "compact";
    text(button, value === "compact" ? "Normal rows" : "Compact rows");
  },
};
