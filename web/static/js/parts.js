// Parts of the page that are out of date are fetched together: all of the
// page's own in one request, those with an address of their own (data-src) one
// by one. What could not be fetched is tried again.
import { morphAll } from "./morph.js";
import { signedOut, isUp } from "./link.js";

const shortest = 80; // ms from one fetch to the next
const longest = 500; // however slow the server is
const gather = 15; // ms in which changes that come together are fetched together
const pause = 200; // ms after a fetch that failed; doubled each time

const waiting = new Set();
let planned, fetched = 0, took = 0, busy = false, failed = 0;

export function stale(id) {
  if (!id) return;
  waiting.add(id);
  plan();
}

// again fetches what is still waiting: the page is looked at again, or the
// server is back.
export function again() {
  failed = 0;
  clearTimeout(planned);
  planned = undefined;
  plan();
}

// plan waits for the socket too: it tells when the server is back.
function plan() {
  if (planned || !waiting.size || document.hidden || !isUp()) return;
  // A page whose parts take long to fetch and draw rests for as long again, so
  // that a change is seen at once where it costs little.
  const rest = failed ? Math.min(pause * 2 ** (failed - 1), 15000) : Math.min(Math.max(shortest, 2 * took), longest);
  planned = setTimeout(flush, Math.max(gather, fetched + rest - Date.now()));
}

async function flush() {
  planned = undefined;
  if (!waiting.size || busy) return;
  const ids = [...waiting];
  waiting.clear();
  fetched = Date.now();
  busy = true;
  try {
    const own = [];
    const jobs = [];
    for (const id of ids) {
      const el = document.getElementById(id);
      if (!el) continue;
      // A part that lies in another one that is fetched comes with it.
      if (ids.some((o) => o !== id && document.getElementById(o)?.contains(el))) continue;
      if (el.dataset.src) jobs.push(get(el.dataset.src, [id]));
      else own.push(id);
    }
    if (own.length) jobs.push(get(location.pathname + location.search, own));
    for (const html of await Promise.all(jobs)) if (html) await morphAll(html, stale);
  } finally {
    took = Date.now() - fetched;
    busy = false;
    plan();
  }
}

async function get(address, ids) {
  const u = new URL(address, location.href);
  u.searchParams.set("fragment", ids.join(","));
  const before = location.href;
  try {
    const r = await fetch(u, { headers: { Accept: "text/html" } });
    if (r.status === 401) signedOut();
    else if (r.status >= 500) throw new Error(r.statusText);
    if (!r.ok) return "";
    const html = await r.text();
    failed = 0;
    if (location.href === before) return html;
    ids.forEach((id) => waiting.add(id)); // the filter was changed meanwhile
  } catch {
    ids.forEach((id) => waiting.add(id));
    failed++;
  }
  return "";
}
