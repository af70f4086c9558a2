// Buttons that copy a text.
import { toast } from "./toast.js";

export function start() {
  document.addEventListener("click", async (e) => {
    const b = e.target.closest("[data-copy]");
    if (!b) return;
    const use = b.querySelector("use");
    const was = use?.getAttribute("href");
    try {
      await navigator.clipboard.writeText(b.dataset.copy);
      use?.setAttribute("href", was.replace(/#.*/, "#check"));
      setTimeout(() => use?.setAttribute("href", was), 1500);
    } catch {
      toast("This browser does not let the page copy. Select the text instead.", "bad");
    }
  });
}
