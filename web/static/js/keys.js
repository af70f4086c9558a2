// Keyboard. Nothing here fires while somebody types.
export function start() {
  let going = 0;
  document.addEventListener("keydown", (e) => {
    if (e.key === "Escape") return escape(e);
    if (e.ctrlKey || e.metaKey || e.altKey || e.target.closest("input, textarea, select, [contenteditable], dialog[open]")) return;
    if (going && Date.now() - going < 1500) {
      going = 0;
      const a = document.querySelector(`[data-go="${CSS.escape(e.key)}"]`);
      if (a) {
        e.preventDefault();
        a.click();
      }
      return;
    }
    switch (e.key) {
      case "g":
        going = Date.now();
        return;
      case "?":
        document.getElementById("shortcuts")?.showModal();
        break;
      case "/":
        document.querySelector("main input[type=search]")?.focus();
        break;
      case "j":
        step(1);
        break;
      case "k":
        step(-1);
        break;
      case "Enter": {
        const row = e.target.closest("tr[tabindex]");
        if (!row) return;
        row.querySelector("a[href]")?.click();
        break;
      }
      case "u":
        document.querySelector("[data-toast] form button")?.click();
        break;
      default:
        return;
    }
    e.preventDefault();
  });
}

function escape(e) {
  const menu = document.querySelector("details[data-menu][open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
    return;
  }
  const dialog = document.querySelector("dialog[open]");
  if (dialog) return dialog.close();
  document.querySelector("[data-close]")?.click();
}

// step moves the focus through the rows of the page's list.
function step(by) {
  const rows = [...document.querySelectorAll("main table.t tbody tr")];
  if (!rows.length) return;
  const at = rows.indexOf(document.activeElement?.closest("tr"));
  const row = rows[Math.min(rows.length - 1, Math.max(0, at + by))];
  row.tabIndex = -1;
  row.focus();
  row.scrollIntoView({ block: "nearest" });
}
