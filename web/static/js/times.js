// Times: kept current, and in the zone that was chosen. The words are those of
// internal/bff/present/clock.go.
const root = document.documentElement;

export function start() {
  redraw(document);
  setInterval(() => document.hidden || redraw(document), 1000);
  try {
    const tz = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if (tz) document.cookie = `wl_tz=${tz}; path=/; max-age=31536000; samesite=lax`;
  } catch { /* the server then writes UTC */ }
}

export function redraw(within) {
  const now = Date.now();
  const list = within.querySelectorAll ? [...within.querySelectorAll("time[data-t]")] : [];
  if (within.matches?.("time[data-t]")) list.push(within);
  for (const el of list) {
    const at = new Date(el.dateTime);
    const text = words(el.dataset.t, at, now);
    if (text && el.textContent !== text) el.textContent = text;
  }
}

function words(style, at, now) {
  switch (style) {
    case "ago": {
      const d = now - at;
      return d < 5000 ? "just now" : span(d) + " ago";
    }
    case "since":
      return span(now - at);
    case "until":
      return at - now < 1000 ? "now" : "in " + span(at - now);
    case "exact":
      return stamp(at).slice(0, 19);
    case "clock":
      return stamp(at).slice(11);
  }
}

export function span(ms) {
  const s = Math.floor(ms / 1000), m = Math.floor(s / 60), h = Math.floor(m / 60);
  if (ms < 1000) return `${Math.floor(ms)} ms`;
  if (s < 60) return `${s} s`;
  if (m < 60) return `${m} m`;
  if (h < 24) return h < 10 && m % 60 ? `${h} h ${m % 60} m` : `${h} h`;
  return `${Math.floor(h / 24)} d`;
}

// stamp is 2006-01-02 15:04:05.000 in the chosen zone.
function stamp(at) {
  const local = root.dataset.zone === "local" ? new Date(at - at.getTimezoneOffset() * 60000) : at;
  return local.toISOString().replace("T", " ").replace("Z", "");
}
