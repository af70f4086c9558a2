// Toasts go by themselves, but not from under the pointer or the focus.
const stay = 10000;

export function start() {
  for (const el of document.querySelectorAll("[data-toast]")) expire(el);
}

export function toast(text, tone = "") {
  const el = document.createElement("div");
  el.className = `toast ${tone}`;
  el.dataset.toast = "";
  el.textContent = text;
  document.getElementById("toasts")?.append(el);
  expire(el);
}

function expire(el) {
  const go = () => (el.matches(":hover, :focus-within") ? setTimeout(go, 2000) : el.remove());
  setTimeout(go, stay);
}
