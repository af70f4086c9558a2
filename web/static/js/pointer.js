// Whether somebody is pointing at a list: what is under the pointer must not
// move away. A pointer that rests, or has just pressed something, is not
// pointing: its owner waits to see what happens.
const rest = 5000; // ms after the last movement
const acted = 2000; // ms after a press or a key

let at, moved = -Infinity, pressed = -Infinity;
const kept = new Map(); // list -> what to do when nobody points at it any more

document.addEventListener("pointermove", (e) => {
  if (e.pointerType === "touch") return;
  at = e.target;
  moved = performance.now();
  release();
}, { passive: true });
for (const kind of ["pointerdown", "keydown", "submit"]) {
  document.addEventListener(kind, () => (pressed = performance.now()), { capture: true, passive: true });
}
document.documentElement.addEventListener("pointerleave", () => {
  at = undefined;
  release();
});

export function pointsAt(list) {
  const now = performance.now();
  return now - moved < rest && now - pressed > acted && at?.isConnected && list.contains(at);
}

// whenLeft runs f once nobody points at the list; a later f takes its place.
export function whenLeft(list, f) {
  if (!kept.size) setTimeout(look, 500);
  kept.set(list, f);
}

function look() {
  release();
  if (kept.size) setTimeout(look, 500);
}

function release() {
  for (const [list, f] of kept) {
    if (pointsAt(list)) continue;
    kept.delete(list);
    f();
  }
}
