// The script of every page. Pages are complete without it: it keeps them
// current, and adds keys, copying and small switches.
import htmx from "htmx.org/dist/htmx.esm.js";
import { start as live } from "./live.js";
import { start as times } from "./times.js";
import { start as prefs } from "./prefs.js";
import { start as forms } from "./forms.js";
import { start as keys } from "./keys.js";
import { start as palette } from "./palette.js";
import { start as toasts } from "./toast.js";
import { start as copy } from "./copy.js";
import { start as events } from "./events.js";
import { start as logs } from "./logs.js";
import { start as images } from "./images.js";
import { start as feeds } from "./feeds.js";
import { start as tabs } from "./tabs.js";

// What a person opened stays open when its part of the page is drawn again.
htmx.config.morphIgnore = ["data-htmx-powered", "open"];
htmx.config.history = false;

document.documentElement.classList.add("js");
times();
tabs();
prefs();
toasts();
copy();
images(); // before forms: it sends uploads itself
feeds(); // likewise
forms();
keys();
palette();
if (document.querySelector("[data-events]")) events();
logs();
live();
