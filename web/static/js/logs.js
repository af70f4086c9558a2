// The log viewer. The page is complete as it comes; here it is kept at its end
// (logs_follow.js), its rows are opened and walked through (logs_rows.js), and
// its filters apply as they are changed.
import { redraw } from "./times.js";
import { parse } from "./morph.js";
import { follow } from "./logs_follow.js";
import { rows } from "./logs_rows.js";

let viewer; // of the list as it is now

export function start() {
  const form = document.querySelector("[data-logs-filter]");
  if (!form) return;
  mount();
  filters(form);
  rows({ list: () => document.getElementById("log"), pause: () => viewer?.toggle(), toEnd: () => viewer?.toEnd() ?? bottom(), wrap: () => oneLine(form) });
  document.querySelector("[data-logs-keys]").hidden = false;
}

const bottom = () => {
  const list = document.getElementById("log");
  list.scrollTop = list.scrollHeight;
};

function mount() {
  const list = document.getElementById("log");
  const aim = list.querySelector(".aim") ?? (location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1))));
  if (aim && list.contains(aim)) {
    aim.scrollIntoView({ block: "center" });
    scrollTo(0, 0);
  } else if (!list.dataset.logs && new URLSearchParams(location.search).has("from")) {
    list.scrollTop = 0;
  } else {
    list.scrollTop = list.scrollHeight;
  }
  viewer = list.dataset.logs ? follow(list) : undefined;
  older(list);
}

// older adds what lies before the first line when the reader comes there.
function older(list) {
  const edge = document.querySelector("[data-logs-older]");
  let busy = false;
  const load = async () => {
    const a = edge.querySelector("a");
    if (!a || busy) return;
    busy = true;
    a.classList.add("busy");
    try {
      const page = await get(a.href, "logs-view");
      const added = page.getElementById("log");
      const days = added.querySelectorAll(".day");
      const first = list.querySelector(".day");
      const height = list.scrollHeight - list.scrollTop; // from what is read to the end
      if (first && days.length && days[days.length - 1].textContent === first.textContent) first.remove();
      redraw(added);
      document.getElementById("log-empty")?.remove();
      list.prepend(...added.childNodes);
      list.scrollTop = list.scrollHeight - height;
      const next = page.querySelector("[data-logs-older]");
      edge.replaceChildren(...(next ? next.childNodes : ["These are the oldest lines that are kept."]));
      viewer?.left();
    } catch {
      location.assign(a.href); // the server says what is wrong
    } finally {
      a.classList.remove("busy");
      busy = false;
    }
  };
  edge?.addEventListener("click", (e) => {
    if (e.ctrlKey || e.metaKey || e.shiftKey || !e.target.closest("a")) return;
    e.preventDefault();
    load();
  });
}

async function get(address, fragments) {
  const u = new URL(address, location.href);
  u.searchParams.set("fragment", fragments);
  u.hash = "";
  const r = await fetch(u, { headers: { Accept: "text/html" } });
  if (r.status === 401) location.reload();
  if (!r.ok && r.status !== 400) throw new Error(r.statusText);
  return parse(await r.text());
}

// filters draws the list for the form's fields; the address follows. What
// cannot be searched for yet, such as half an expression, is said above the
// list, and typing goes on.
function filters(form) {
  let typing, newest = 0;
  const apply = async (whole) => {
    clearTimeout(typing);
    const fields = new URLSearchParams([...new FormData(form)].filter(([, v]) => v !== ""));
    const url = "/logs" + (fields.size ? "?" + fields : "");
    const mine = ++newest;
    form.setAttribute("aria-busy", "true");
    try {
      const page = await get(url, "logs-head,logs-view");
      if (mine !== newest) return;
      const view = page.getElementById("logs-view");
      if (!view) throw new Error("no page");
      viewer?.stop();
      viewer = undefined;
      history[whole ? "pushState" : "replaceState"](null, "", url);
      redraw(page);
      document.getElementById("logs-view").replaceWith(view);
      document.getElementById("logs-head").replaceWith(page.getElementById("logs-head"));
      const text = form.querySelector("[name=text]");
      text.toggleAttribute("aria-invalid", !!view.querySelector(".note.bad"));
      mount();
    } catch {
      if (mine === newest) location.assign(url);
    } finally {
      form.removeAttribute("aria-busy");
    }
  };
  form.addEventListener("submit", (e) => {
    e.preventDefault();
    apply(true);
  });
  form.addEventListener("input", (e) => {
    if (e.target.matches("[data-logs-oneline]")) return oneLine(form, e.target.checked);
    clearTimeout(typing);
    const typed = e.target.matches("input[type=search]");
    const date = e.target.matches("input[type=datetime-local]"); // is changed part by part
    if (e.target.name === "host") named(form);
    typing = setTimeout(() => apply(!typed), typed ? 250 : date ? 900 : 0);
  });
}

// named says which hosts are chosen where the choice is closed.
function named(form) {
  const chosen = [...form.querySelectorAll("[name=host]:checked")].map((i) => i.value);
  form.querySelector("[data-logs-hosts]").textContent = chosen.join(", ") || "all";
}

// oneLine switches wrapping without a new page; the address keeps it.
function oneLine(form, on) {
  const box = form.querySelector("[data-logs-oneline]");
  if (on === undefined) on = box.checked = !box.checked;
  document.getElementById("log").classList.toggle("oneline", on);
  const u = new URL(location.href);
  if (on) u.searchParams.set("oneline", "1");
  else u.searchParams.delete("oneline");
  history.replaceState(history.state, "", u);
  viewer?.settle();
}
