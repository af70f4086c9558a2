package browsertest

import "strings"

// witness runs before a page's own scripts and keeps what it alone would know:
// what has moved by itself, and what the content policy has refused. A
// thousandth of the window is the width of a word that took another's place.
const witness = `(() => {
	const seen = window.witness = {shifts: [], refused: []};
	const name = n => n?.nodeType === 1 ? n.tagName.toLowerCase() + (n.id ? "#" + n.id : "") + (n.className && typeof n.className === "string" ? "." + n.className.trim().split(/\s+/).join(".") : "") : "?";
	new PerformanceObserver(list => {
		for (const e of list.getEntries()) {
			if (!e.hadRecentInput && e.value >= 0.001) seen.shifts.push(e.value.toFixed(4) + " " + e.sources.map(s =>
				name(s.node) + " " + [s.previousRect, s.currentRect].map(r => [r.x, r.y, r.width, r.height].map(Math.round).join(",")).join(" to ")).join("; "));
		}
	}).observe({type: "layout-shift", buffered: true});
	document.addEventListener("securitypolicyviolation", e => seen.refused.push(e.violatedDirective + " " + e.blockedURI + " " + e.sourceFile + ":" + e.lineNumber));
})()`

// Still fails the test if something on the page has moved by itself since it
// was loaded, or the content policy has refused something.
func (p *Page) Still(what string) {
	p.t.Helper()
	// The browser tells of a shift after the frame it is in.
	for _, s := range Eval[[]string](p, `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(
		[...witness.shifts.map(s => "moved by itself: " + s), ...witness.refused.map(s => "refused by the content policy: " + s)])))))`) {
		p.t.Errorf("%s: %s", what, s)
	}
}

// Plain fails the test on what a program would write and no person: null,
// dates of year one, seconds since 1970, durations and keys as code has them.
// What is meant to be read as it is (code, pre, textarea, data-verbatim) is not looked at.
func (p *Page) Plain(what string) {
	p.t.Helper()
	for _, s := range Eval[[]string](p, plain) {
		p.t.Errorf("%s: raw value: %s", what, s)
	}
}

const plain = `(() => {
	const verbatim = "code, pre, kbd, samp, textarea, script, style, [data-verbatim], [data-verbatim] *";
	const raw = [
		/\b(null|undefined|NaN|Infinity)\b/, /\[object /, /<nil>/, /%!/, /\b0001-01-01/, /\b1970-01-01/, /\b1[0-9]{9}([0-9]{3})?\b/,
		/\b\d+h\d+m\d*\.?\d*s?\b/, /\b\d+m\d+(\.\d+)?s\b/, /\b\d+\.\d{3,}(ns|µs|ms|s)\b/, /\bmap\[/, /&(amp|lt|gt|quot|#\d+);/,
		/\b(not_analyzed|analysis_failed|status_error|not_affected|under_investigation|in_progress|vulnerable_code_\w+|docker_v2)\b/,
	];
	const shown = [];
	const look = (text, where) => {
		const bad = raw.find(r => r.test(text));
		if (bad) shown.push(JSON.stringify(text.match(new RegExp(".{0,40}" + bad.source + ".{0,40}", "s"))?.[0] ?? text) + " in " + where);
	};
	const walk = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
	for (let n; (n = walk.nextNode());) {
		const el = n.parentElement;
		if (n.nodeValue.trim() && !el.matches(verbatim) && !el.closest("code, pre, [data-verbatim]")) look(n.nodeValue, el.tagName.toLowerCase() + "." + el.className);
	}
	for (const el of document.querySelectorAll("[title], [aria-label], [alt], [placeholder], [datetime], [aria-valuetext], [aria-description]")) {
		if (el.closest("[data-verbatim]")) continue;
		for (const a of ["title", "aria-label", "alt", "placeholder", "datetime", "aria-valuetext", "aria-description"]) {
			if (el.hasAttribute(a)) look(el.getAttribute(a), el.tagName.toLowerCase() + "." + el.className + "@" + a);
		}
	}
	for (const a of document.querySelectorAll("a[href], form[action]")) {
		const at = a.getAttribute("href") ?? a.getAttribute("action");
		if (/undefined|NaN|\[object|%!|0001-01-01|<nil>|=null\b/.test(decodeURI(at.replace(/%(?![0-9a-f]{2})/gi, "%25")))) shown.push("the address " + at);
	}
	for (const t of document.querySelectorAll("time")) {
		if (!t.dateTime || isNaN(new Date(t.dateTime))) shown.push("time without a moment: " + t.outerHTML.slice(0, 120));
	}
	return [...new Set(shown)];
})()`

// Sound fails the test on a form that could not be sent, an id that is there
// twice, a field or button without a name, a link without an address.
func (p *Page) Sound(what string) {
	p.t.Helper()
	for _, s := range Eval[[]string](p, `(() => {
		const bad = [], text = el => el.outerHTML.slice(0, 160).replace(/\s+/g, " ");
		for (const f of document.querySelectorAll("form")) {
			const to = new URL(f.action, location);
			if (to.origin !== location.origin) bad.push("a form goes to another site: " + text(f));
			const free = ["/prefs", "/login"].includes(to.pathname);
			if (f.method === "post" && !free && !f.querySelector("input[name=csrf][value]:not([value=''])") && !to.searchParams.get("csrf")) bad.push("a form without a token: " + text(f));
			for (const x of f.elements) {
				if (["hidden", "submit", "button", "fieldset"].includes(x.type) || x.hidden) continue;
				if (!x.labels?.length && !x.getAttribute("aria-label") && !x.getAttribute("aria-labelledby")) bad.push("a field without a label: " + text(x));
			}
		}
		for (const b of document.querySelectorAll("button, summary, a[href]")) {
			if (b.hidden) continue;
			if (!b.innerText?.trim() && !b.textContent.trim() && !b.getAttribute("aria-label") && !b.title) bad.push("nothing says what this is: " + text(b));
		}
		for (const a of document.querySelectorAll("a:not([href])")) bad.push("a link without an address: " + text(a));
		const ids = new Map();
		for (const el of document.querySelectorAll("[id]")) ids.set(el.id, (ids.get(el.id) ?? 0) + 1);
		for (const [id, n] of ids) if (n > 1) bad.push("the id " + id + " is there " + n + " times");
		if (document.querySelectorAll("h1").length !== 1) bad.push(document.querySelectorAll("h1").length + " h1");
		return [...new Set(bad)];
	})()`) {
		p.t.Errorf("%s: %s", what, s)
	}
}

// Fits fails the test if the page is wider than its window.
func (p *Page) Fits(what string) {
	p.t.Helper()
	over := Eval[[]string](p, `(() => {
		if (document.documentElement.scrollWidth <= innerWidth) return [];
		const wide = [...document.querySelectorAll("main *")].filter(el => el.getBoundingClientRect().right > innerWidth + 1 && !el.closest(".scroll, .tablewrap, pre"));
		if (!wide.length) wide.push(...[...document.querySelectorAll("body *")].filter(el => el.getBoundingClientRect().right > innerWidth + 1));
		return ["the page is " + (document.documentElement.scrollWidth - innerWidth) + " px too wide, because of " + wide.slice(0, 3).map(el => el.outerHTML.slice(0, 100)).join(" | ")];
	})()`)
	if len(over) > 0 {
		p.t.Errorf("%s: %s", what, strings.Join(over, ""))
	}
}

// Links lists the addresses on this site that the page leads to by GET.
func (p *Page) Links() []string {
	p.t.Helper()
	return Eval[[]string](p, `[...new Set([...document.querySelectorAll("a[href], link[href], script[src], img[src]")]
		.map(a => new URL(a.getAttribute("href") ?? a.getAttribute("src"), location)).filter(u => u.origin === location.origin)
		.map(u => u.pathname + u.search))]`)
}
