// The rows of a log: walked through by keys, opened to their fields, linked to.
import { parse } from "./morph.js";
import { redraw } from "./times.js";
import { toast } from "./toast.js";

// rows listens for keys and clicks; list() is the list as it is now.
export function rows({ list, pause, toEnd, wrap }) {
  document.addEventListener("click", (e) => {
    const li = e.target.closest?.("#log > li[id]");
    if (!li || e.ctrlKey || e.metaKey || e.shiftKey || e.target.closest(".log-detail")) return;
    const link = e.target.closest("a");
    if (link ? link.parentElement !== li : e.detail > 1 || String(getSelection())) return;
    e.preventDefault();
    mark(li, false);
    open(li);
  });
  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.target.closest("input, textarea, select, dialog, summary")) return;
    const within = e.target.closest("button, a");
    const step = {
      j: () => move(1, "li[id]"), k: () => move(-1, "li[id]"),
      n: () => move(1, "li:has(mark)"), N: () => move(-1, "li:has(mark)"),
      e: () => move(1, "li.E"), E: () => move(-1, "li.E"),
      w: wrap, c: copy, End: toEnd,
      " ": within && !within.closest("#log") ? undefined : pause, // Enter presses the row's link
    }[e.key];
    if (!step) return;
    e.preventDefault();
    step();
  });

  const current = () => list().querySelector("li.now");

  function mark(li, focus = true) {
    current()?.classList.remove("now");
    li.classList.add("now");
    if (!focus) return;
    li.querySelector("a").focus({ preventScroll: true });
    li.scrollIntoView({ block: "nearest" });
  }

  // move goes to the next row of a kind from the current one, or from the end
  // of the list that is nearer to where one comes from.
  function move(by, kind) {
    const all = [...list().querySelectorAll(`:scope > ${kind}`)].filter((li) => li.id);
    const at = current();
    let next;
    if (!at) next = all.at(by > 0 && kind !== "li[id]" ? 0 : -1);
    else {
      const follows = (li) => at.compareDocumentPosition(li) & Node.DOCUMENT_POSITION_FOLLOWING;
      next = by > 0 ? all.find(follows) : all.findLast((li) => li !== at && !follows(li));
    }
    if (next) mark(next);
  }

  // open shows what a line is made of, or hides it again.
  async function open(li) {
    const there = li.querySelector(".log-detail");
    if (there) {
      there.remove();
      return;
    }
    const u = new URL(li.querySelector("a").href);
    u.pathname = "/logs/line";
    u.searchParams.set("fragment", "line");
    u.hash = "";
    try {
      const r = await fetch(u, { headers: { Accept: "text/html" } });
      if (r.status === 401) return location.reload();
      if (!r.ok) return toast((await r.text()) || "This line cannot be read now.", "bad");
      const detail = parse(await r.text());
      redraw(detail);
      if (!li.querySelector(".log-detail")) li.append(detail);
      li.scrollIntoView({ block: "nearest" });
    } catch {
      toast("The console does not answer.", "bad");
    }
  }

  async function copy() {
    const at = current();
    if (!at) return;
    try {
      await navigator.clipboard.writeText(at.querySelector("a").href);
      toast("The link to this line is copied.");
    } catch {
      toast("This browser does not let the page copy.", "bad");
    }
  }
}
