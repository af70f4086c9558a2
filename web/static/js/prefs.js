// The switches of the bar, without loading the page again. The cookies are
// those the forms set.
import { redraw } from "./times.js";

const root = document.documentElement;
const themes = { "": ["System", "system", "light"], light: ["Light", "sun", "dark"], dark: ["Dark", "moon", "system"] };

export function start() {
  document.addEventListener("submit", (e) => {
    const pref = e.target.dataset.pref;
    if (!pref) return;
    e.preventDefault();
    const button = e.target.querySelector("button");
    const value = button.value;
    document.cookie = `wl_${pref}=${value}; path=/; max-age=31536000; samesite=lax`;
    change[pref](value, button);
  });
}

const change = {
  theme(value, button) {
    const now = value === "system" ? "" : value;
    root.dataset.theme = now;
    const [name, icon, next] = themes[now];
    button.value = next;
    button.querySelector("[data-pref-text]").textContent = name;
    const use = button.querySelector("use");
    use.setAttribute("href", use.getAttribute("href").replace(/#.*/, "#" + icon));
  },
  zone(value, button) {
    root.dataset.zone = value;
    button.value = value === "local" ? "utc" : "local";
    button.querySelector("[data-pref-text]").textContent = value === "local" ? "Local" : "UTC";
    redraw(document);
    document.dispatchEvent(new CustomEvent("windlass:zone"));
  },
  rail(value, button) {
    root.dataset.rail = value;
    button.value = value === "icons" ? "" : "icons";
  },
};
