// The list of images: ticking all rows or a range of them, and an upload that
// shows how far it has come. Without the script both forms still work.
import { morph } from "./morph.js";
import { toast } from "./toast.js";

export function start() {
  show();
  document.addEventListener("windlass:morphed", show);
  document.addEventListener("submit", (e) => {
    if (e.target.matches("form[data-upload]") && !e.defaultPrevented) {
      e.preventDefault();
      upload(e.target);
    }
  });
  let last;
  document.addEventListener("click", (e) => {
    const box = e.target.closest("input[type=checkbox]");
    if (!box) return;
    if (box.matches("[data-tick-all]")) {
      for (const b of boxes(box.form)) b.checked = box.checked;
    } else if (box.matches("[data-tick]")) {
      if (e.shiftKey && last?.isConnected && last.form === box.form) {
        const list = boxes(box.form);
        const [a, b] = [list.indexOf(last), list.indexOf(box)].sort((x, y) => x - y);
        for (const b2 of list.slice(a, b + 1)) b2.checked = box.checked;
      }
      last = box;
    } else return;
    count(box.form);
  });
}

const boxes = (form) => [...form.querySelectorAll("input[data-tick]")];

// What is ticked, by value: a row that is drawn again comes without its tick.
const ticks = new Set();

function show() {
  for (const b of document.querySelectorAll("input[data-tick]")) b.checked = ticks.has(b.value);
  for (const all of document.querySelectorAll("[data-tick-all]")) {
    all.hidden = false;
    count(all.form);
  }
}

function count(form) {
  const list = boxes(form);
  for (const b of list) b.checked ? ticks.add(b.value) : ticks.delete(b.value);
  const n = list.filter((b) => b.checked).length;
  const all = form.querySelector("[data-tick-all]");
  if (all) {
    all.checked = n > 0 && n === list.length;
    all.indeterminate = n > 0 && n < list.length;
  }
  for (const b of list) b.closest("tr")?.setAttribute("aria-selected", String(b.checked));
  const text = form.querySelector("[data-ticked]");
  if (text) text.textContent = n ? `${n} ticked:` : text.dataset.ticked;
}

// upload sends the form itself, so that its progress can be seen, and shows
// the page that the server answers with.
function upload(form) {
  const request = new XMLHttpRequest();
  const meter = form.querySelector("[data-upload-progress]");
  const bar = meter.querySelector("progress");
  const text = meter.querySelector(".meter > span");
  const button = form.querySelector("button:not([type=button])");
  const began = performance.now();
  meter.hidden = false;
  button.classList.add("busy");
  const leave = (e) => e.preventDefault();
  addEventListener("beforeunload", leave);
  request.upload.onprogress = (e) => {
    if (!e.lengthComputable) return;
    bar.max = e.total;
    bar.value = e.loaded;
    const rate = e.loaded / Math.max(performance.now() - began, 1); // bytes a millisecond
    const rest = (e.total - e.loaded) / Math.max(rate, 0.001) / 1000;
    text.textContent = e.loaded < e.total ? `${Math.floor((100 * e.loaded) / e.total)} %, ${size(rate * 1000)}/s, ${span(rest)} left` : "Reading the archive";
    if (e.loaded === e.total) bar.removeAttribute("value");
  };
  request.onloadend = async () => {
    removeEventListener("beforeunload", leave);
    button.classList.remove("busy");
    const page = request.status && new DOMParser().parseFromString(request.responseText, "text/html");
    const main = page && page.getElementById("main");
    if (!main) {
      meter.hidden = true;
      text.textContent = "";
      toast("The upload was cut short. Try it again.", "bad");
      return;
    }
    document.title = page.title;
    if (request.status < 400) history.pushState(null, "", request.responseURL);
    await morph(document.getElementById("main"), main);
    const toasts = page.getElementById("toasts");
    if (toasts) await morph(document.getElementById("toasts"), toasts);
  };
  request.open("POST", form.action);
  request.send(new FormData(form));
}

const size = (n) => (n < 1e6 ? `${(n / 1e3).toFixed(0)} kB` : `${(n / 1e6).toFixed(1)} MB`);
const span = (s) => (s < 60 ? `${Math.ceil(s)} s` : `${Math.ceil(s / 60)} m`);
