package browsertest

import (
	"fmt"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// maxTabs is how far a person would go with the Tab key.
const maxTabs = 60

// TabTo presses Tab until the focus is on what a selector names and, if any,
// text is in. On its way the focus must be seen, and may not leave the page.
func (p *Page) TabTo(selector, text string) {
	p.t.Helper()
	for range maxTabs {
		p.Keys(kb.Tab)
		at := Eval[[]string](p, fmt.Sprintf(`(() => {
			const el = document.activeElement, name = el.outerHTML.slice(0, 120);
			const found = el.matches(%q) && (el.innerText + el.textContent + (el.getAttribute("aria-label") ?? "")).includes(%q);
			if (el === document.body || el.matches("main, .rows")) return [found ? "found" : "", "", name];
			const seen = [el, ...el.querySelectorAll("*"), el.closest("label, tr, li, .field") ?? el].some(x => {
				const s = getComputedStyle(x);
				return s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 0 || s.boxShadow !== "none";
			});
			const box = el.getBoundingClientRect();
			return [found ? "found" : "", !seen ? "is not seen to have the focus" : !box.width && !box.height ? "has the focus and is not there" : "", name];
		})()`, selector, text))
		if at[1] != "" {
			p.t.Errorf("%s %s", at[2], at[1])
		}
		if at[0] != "" {
			return
		}
	}
	p.Shot("failed-tab")
	p.t.Fatalf("Tab does not reach %s %q", selector, text)
}

// Key presses one printing key as a person does: what a script takes for
// itself is not written into the field that it moves the focus to.
func (p *Page) Key(key string) {
	p.t.Helper()
	for _, kind := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeKeyDown, input.DispatchKeyEventTypeKeyUp} {
		params := input.DispatchKeyEventParams{Type: kind, Key: key}
		if kind == input.DispatchKeyEventTypeKeyDown {
			params.Text = key
		}
		if _, err := chromedp.Call(p.ctx, input.DispatchKeyEvent, params); err != nil {
			p.t.Fatal(err)
		}
	}
}
