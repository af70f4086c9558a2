// Forms: those that ask first (data-confirm), filters that apply as they are
// changed (data-autosubmit), menus and dialogs.
import { morph } from "./morph.js";
import { moved } from "./live.js";

export function start() {
  document.addEventListener("submit", (e) => {
    const form = e.target;
    const ask = e.submitter?.dataset.confirm ?? form.dataset.confirm;
    if (ask && !confirm(ask)) {
      e.preventDefault();
      return;
    }
    if (form.matches("[data-autosubmit]")) {
      e.preventDefault();
      filter(form, true);
      return;
    }
    if (form.method === "post" && !e.defaultPrevented) {
      // A second press must not do it twice. Disabled buttons would not be sent.
      if (form.dataset.sent) return e.preventDefault();
      form.dataset.sent = "1";
      e.submitter?.classList.add("busy");
      setTimeout(() => {
        delete form.dataset.sent;
        e.submitter?.classList.remove("busy");
      }, 8000);
    }
  });
  let typing;
  document.addEventListener("input", (e) => {
    const form = e.target.closest("form[data-autosubmit]");
    if (!form) return;
    clearTimeout(typing);
    typing = setTimeout(() => filter(form, false), e.target.matches("input[type=search], input[type=text]") ? 250 : 0);
  });
  addEventListener("popstate", () => location.reload());
  document.addEventListener("click", (e) => {
    const t = e.target.closest("[data-toggle]");
    if (t) document.getElementById(t.dataset.toggle)?.showModal();
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      if (!menu.contains(e.target) || t) menu.open = false;
    }
  });
  for (const el of document.querySelectorAll("[data-toggle]")) el.hidden = false;
}

let newest = 0;

// filter draws the page for the form's fields in place; the address follows.
async function filter(form, whole) {
  const fields = new URLSearchParams([...new FormData(form)].filter(([, v]) => v !== ""));
  const address = form.getAttribute("action") || location.pathname;
  const url = address + (fields.size ? "?" + fields : "");
  const mine = ++newest;
  form.setAttribute("aria-busy", "true");
  try {
    const r = await fetch(url, { headers: { Accept: "text/html" } });
    const html = await r.text();
    if (mine !== newest) return;
    if (!r.ok) throw new Error(r.statusText);
    const next = new DOMParser().parseFromString(html, "text/html").getElementById("main");
    if (!next) throw new Error("no page");
    history[whole ? "pushState" : "replaceState"](null, "", url);
    await morph(document.getElementById("main"), next);
    moved();
  } catch {
    if (mine === newest) location.assign(url); // the server says what is wrong
  } finally {
    form.removeAttribute("aria-busy");
  }
}
