// Work that must not hold up the browser is cut into pictures: after five
// milliseconds of it the browser draws, and scrolls, and takes keys.
const share = 5;

let began = 0;

// breathe waits for the next picture when this one's share of time is used up.
export async function breathe() {
  if (performance.now() - began < share) return;
  await picture();
  began = performance.now();
}

// picture waits for the next one; in a window that is not drawn, a moment.
export const picture = () =>
  new Promise((done) => {
    const late = setTimeout(done, 100);
    requestAnimationFrame(() => {
      clearTimeout(late);
      done();
    });
  });
