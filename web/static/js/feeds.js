// The upload of vulnerability data goes on where it broke off: the bytes that
// came are kept, a lost line is tried again by itself, and choosing the same
// file another day, on any host, sends only what is missing.
const again = 1 << 20; // sent twice, so that another file of that name is found out

export function start() {
  document.addEventListener("submit", (e) => {
    if (!e.target.matches("form[data-feed-upload]") || e.defaultPrevented) return;
    e.preventDefault();
    send(e.target);
  });
}

// Lost is a line that may come back; any other error is the server's word.
class Lost extends Error {}

async function send(form) {
  if (form.dataset.sending) return;
  const file = form.elements.archive.files[0];
  const box = form.querySelector("[data-upload-progress]");
  const bar = box.querySelector("progress");
  const numbers = box.querySelector(".meter > span");
  const text = box.querySelector("[data-upload-text]");
  const button = form.querySelector("button:not([type=button])");
  const stop = form.querySelector("[data-upload-stop]");
  const csrf = form.dataset.feedUpload;
  const life = new AbortController();
  const leave = (e) => e.preventDefault();
  form.dataset.sending = "1";
  box.hidden = stop.hidden = false;
  button.classList.add("busy");
  addEventListener("beforeunload", leave);
  stop.onclick = () => life.abort();
  text.textContent = "";
  try {
    let at = await open(form, file, csrf, life.signal);
    for (let tries = 0; at.have < file.size; ) {
      const before = at.have;
      try {
        at = await bytes(at, file, csrf, life.signal, (have, rate) => {
          bar.max = file.size;
          bar.value = have;
          const rest = (file.size - have) / Math.max(rate, 1);
          numbers.textContent = `${size(have)} of ${size(file.size)}, ${size(rate)}/s, ${span(rest)} left`;
          text.textContent = before ? `Goes on at ${size(before)}.` : "";
        });
      } catch (e) {
        if (!(e instanceof Lost)) throw e;
        for (let wait = Math.min(2 ** tries, 30); wait > 0; wait--) {
          text.textContent = `The line was lost. Trying again in ${wait} s.`;
          await pause(1000, life.signal);
        }
        at = await ask(`/feeds/uploads/${at.id}`, { signal: life.signal }).catch((e) => {
          if (e instanceof Lost) return at;
          throw e;
        });
        tries = at.have > before ? 0 : tries + 1;
      }
    }
    bar.removeAttribute("value");
    numbers.textContent = "Beginning to install";
    removeEventListener("beforeunload", leave);
    finish(`/feeds/uploads/${at.id}/install`, csrf);
  } catch (e) {
    text.textContent = e.name === "AbortError" ? "Stopped. Choose the same file to go on." : e.message;
    numbers.textContent = "";
    bar.value = 0;
    button.classList.remove("busy");
    stop.hidden = true;
    delete form.dataset.sending;
    removeEventListener("beforeunload", leave);
  }
}

// open finds the unfinished upload of the same file, or begins one.
async function open(form, file, csrf, signal) {
  for (const li of document.querySelectorAll("[data-upload-open]")) {
    if (li.dataset.name === file.name && Number(li.dataset.size) === file.size) return ask(`/feeds/uploads/${li.dataset.uploadOpen}`, { signal });
  }
  const body = new URLSearchParams({ csrf, name: file.name, size: file.size, checksum: form.elements.checksum.value, flush: form.elements.flush.checked });
  return ask("/feeds/uploads", { method: "POST", body, signal });
}

async function ask(url, options) {
  let r;
  try {
    r = await fetch(url, { ...options, headers: { Accept: "application/json" }, redirect: "error" });
  } catch (e) {
    if (e.name === "AbortError") throw e;
    throw new Lost(e.message);
  }
  if (r.status >= 500) throw new Lost(r.statusText);
  const said = await r.json().catch(() => ({ message: "Sign in again; what was sent is kept." }));
  if (!r.ok) throw new Error(said.message);
  return said;
}

// bytes sends the rest of the file. fetch tells nothing of its progress.
function bytes(at, file, csrf, signal, tell) {
  const from = Math.max(at.have - again, 0);
  return new Promise((resolve, reject) => {
    const x = new XMLHttpRequest();
    const began = performance.now();
    const abort = () => x.abort();
    signal.addEventListener("abort", abort);
    x.upload.onprogress = (e) => tell(Math.max(from + e.loaded, at.have), (e.loaded / Math.max(performance.now() - began, 1)) * 1000);
    x.onabort = () => reject(new DOMException("stopped", "AbortError"));
    x.onload = () => {
      let said = {};
      try {
        said = JSON.parse(x.responseText);
      } catch {
        // a page: the session ended, or a proxy spoke
      }
      if (x.status === 200) resolve(said);
      else if (x.status >= 500) reject(new Lost(x.statusText));
      else reject(new Error(said.message || "The upload was refused. What was sent is kept."));
    };
    x.onerror = () => reject(new Lost("line lost"));
    x.onloadend = () => signal.removeEventListener("abort", abort);
    x.open("POST", `/feeds/uploads/${at.id}/upload?at=${from}`);
    x.setRequestHeader("X-CSRF-Token", csrf);
    x.setRequestHeader("Content-Type", "application/octet-stream");
    x.send(file.slice(from));
  });
}

// finish leaves the page by a form, so that the answer is a page with its toast.
function finish(action, csrf) {
  const form = document.createElement("form");
  form.method = "post";
  form.action = action;
  const token = document.createElement("input");
  token.type = "hidden";
  token.name = "csrf";
  token.value = csrf;
  form.append(token);
  document.body.append(form);
  form.submit();
}

const pause = (ms, signal) =>
  new Promise((resolve, reject) => {
    const t = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(t);
      reject(new DOMException("stopped", "AbortError"));
    });
  });

const size = (n) => (n < 1e6 ? `${(n / 1e3).toFixed(0)} kB` : `${(n / 1e6).toFixed(1)} MB`);
const span = (s) => (s < 60 ? `${Math.ceil(s)} s` : `${Math.ceil(s / 60)} m`);
