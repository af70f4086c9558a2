// Package browsertest drives a real browser over the console in tests: it
// signs in, waits for what the page shows, takes pictures into artifacts/,
// has axe look for what people with a screen reader or a keyboard would
// stumble over, and fails a test on any complaint of the browser: an exception, a
// failed load, a breach of the content policy.
//
// A package that uses it runs its tests through Main. Without a browser the
// tests are skipped, but not when CI is true.
package browsertest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// One browser serves all tests of a process, each in a tab of its own.
var shared struct {
	once sync.Once
	ctx  context.Context
	stop func()
	err  error
}

// Main runs a package's tests and then ends the browser.
func Main(m *testing.M) {
	code := m.Run()
	if shared.stop != nil {
		shared.stop()
	}
	os.Exit(code)
}

func binary() string {
	for _, name := range []string{os.Getenv("CHROMIUM"), "chromium", "chromium-browser", "google-chrome", "chrome"} {
		if name == "" {
			continue
		}
		if p, err := exec.LookPath(name); err == nil {
			return p
		}
	}
	return ""
}

func launch() {
	bin := binary()
	if bin == "" {
		shared.err = fmt.Errorf("no chromium found; install it, or name it in CHROMIUM")
		return
	}
	dir, err := os.MkdirTemp("", "wl-browser")
	if err != nil {
		shared.err = err
		return
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(bin), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(dir),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("hide-scrollbars", true))
	alloc, stopAlloc := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, stop := chromedp.NewContext(alloc)
	shared.ctx = ctx
	shared.stop = func() { stop(); stopAlloc(); os.RemoveAll(dir) }
	shared.err = chromedp.Do(ctx)
}

// They end tests that hang, and are far above what a busy machine needs.
const (
	life     = 10 * time.Minute
	patience = time.Minute
)

// Page is a tab.
type Page struct {
	t     testing.TB
	ctx   context.Context
	width int64

	scriptless bool

	mu       sync.Mutex
	messages []string
	forgiven []func(string) bool
}

// Open opens a tab with cookies of its own test's tabs; it closes with the test, which
// fails if the browser has complained of anything by then.
func Open(t testing.TB) *Page {
	t.Helper()
	shared.once.Do(launch)
	if shared.err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(shared.err)
		}
		t.Skip(shared.err)
	}
	ctx, closeTab := chromedp.NewContext(shared.ctx, chromedp.WithNewBrowserContext())
	ctx, cancel := context.WithTimeout(ctx, life)
	p := &Page{t: t, ctx: ctx}
	t.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, m := range p.messages {
			if !slices.ContainsFunc(p.forgiven, func(match func(string) bool) bool { return match(m) }) {
				t.Errorf("browser: %s", m)
			}
		}
		cancel()
		closeTab()
	})
	if err := chromedp.Listen(ctx, p.hear); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: witness}); err != nil {
		t.Fatal(err)
	}
	p.Size(1440, 900)
	return p
}

func (p *Page) hear(ev any) {
	var m string
	switch e := ev.(type) {
	case *cdplog.EventEntryAdded:
		if e.Entry.Level != cdplog.EntryLevelError && e.Entry.Level != cdplog.EntryLevelWarning {
			return
		}
		m = e.Entry.Text + " " + e.Entry.URL
	case *runtime.EventExceptionThrown:
		m = "exception: " + e.ExceptionDetails.Text
		if x := e.ExceptionDetails.Exception; x != nil {
			m += " " + x.Description
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type != runtime.ConsoleAPICalledTypeError && e.Type != runtime.ConsoleAPICalledTypeWarning {
			return
		}
		m = "console:"
		for _, a := range e.Args {
			m += " " + string(a.Value) + a.Description
		}
	case *page.EventJavascriptDialogOpening: // whether to leave what is not saved: yes
		go chromedp.Call(p.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true})
		return
	default:
		return
	}
	p.mu.Lock()
	p.messages = append(p.messages, m)
	p.mu.Unlock()
}

// Forgive drops complaints, so far and from now on, that match: those that the
// test means to provoke.
func (p *Page) Forgive(match func(message string) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forgiven = append(p.forgiven, match)
}

// Do runs actions of chromedp.
func (p *Page) Do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

// Goto loads an address and waits until the page is there.
func (p *Page) Goto(url string) {
	p.t.Helper()
	p.Do(chromedp.Navigate(url))
}

// Login signs in through the login page.
func (p *Page) Login(base, user, password string) {
	p.t.Helper()
	p.Goto(base + "/login")
	p.Type("#user", user)
	p.Type("#password", password)
	p.Click("main form .btn")
	p.Wait(`document.querySelector("body.app") !== null`)
}

// Click presses what a selector finds first.
func (p *Page) Click(selector string) {
	p.t.Helper()
	p.Do(chromedp.Click(chromedp.CSS(selector)))
}

// Type writes into a field.
func (p *Page) Type(selector, text string) {
	p.t.Helper()
	p.Do(chromedp.SendKeys(chromedp.CSS(selector), text))
}

// Press is Click, Write is Type, on a page without scripts.
func (p *Page) Press(selector string) {
	p.t.Helper()
	p.Wait(fmt.Sprintf(`(el => el && (el.click(), true))(document.querySelector(%q))`, selector))
}

func (p *Page) Write(selector, text string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	for ctx.Err() == nil { // a browser drops keys until it has drawn the page
		p.Wait(fmt.Sprintf(`(el => el && (el.focus(), el.select(), document.activeElement === el))(document.querySelector(%q))`, selector))
		p.Keys(text)
		if Eval[bool](p, fmt.Sprintf(`document.querySelector(%q)?.value === %q`, selector, text)) {
			return
		}
	}
	p.t.Fatalf("%q cannot be written into %s", text, selector)
}

// Keys presses keys wherever the focus is.
func (p *Page) Keys(keys string) {
	p.t.Helper()
	p.Do(chromedp.KeyEvent(keys))
}

// Eval is the value of an expression.
func Eval[T any](p *Page, js string) T {
	p.t.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s: %v", js, err)
	}
	return v
}

// Wait waits until an expression is true, as long as patience lasts.
func (p *Page) Wait(js string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		// An error is a page that is just being replaced by the next one.
		if ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("Boolean("+js+")")); ok && err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			p.Shot("failed-" + strings.ReplaceAll(p.t.Name(), "/", "-"))
			p.t.Fatalf("this did not become true: %s", js)
		}
	}
}

// Live waits until the page hears of changes.
func (p *Page) Live() {
	p.t.Helper()
	p.Wait(`document.documentElement.dataset.link === "up"`)
}

// Size sets the window's.
func (p *Page) Size(width, height int64) {
	p.t.Helper()
	p.width = width
	p.Do(chromedp.EmulateViewport(width, height))
}

// Theme has the system prefer dark or light, and rest instead of motion.
func (p *Page) Theme(name string) {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: name},
		{Name: "prefers-reduced-motion", Value: "reduce"},
	}})
	if err != nil {
		p.t.Fatal(err)
	}
}

// Scripts lets the page run its scripts, or not, from the next page on. Without
// them nothing may be awaited in a page: Press and Write do not.
func (p *Page) Scripts(on bool) {
	p.t.Helper()
	p.scriptless = !on
	if _, err := chromedp.Call(p.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on}); err != nil {
		p.t.Fatal(err)
	}
}

// Shot takes a picture of the whole page: artifacts/NAME.png.
func (p *Page) Shot(name string) {
	p.t.Helper()
	// The window grows to the page, so that what sticks to its edges does not
	// stand in the middle of the picture.
	height := Eval[int64](p, `Math.max(innerHeight, document.documentElement.scrollHeight)`)
	p.Do(chromedp.EmulateViewport(p.width, min(height, 6000)))
	p.settle()
	p.picture(name)
	p.Do(chromedp.EmulateViewport(p.width, 900))
}

// picture keeps what the window shows.
func (p *Page) picture(name string) {
	p.t.Helper()
	quick := true // packing them well costs more than all else a test does
	shot, err := chromedp.Call(p.ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{OptimizeForSpeed: &quick})
	if err != nil {
		p.t.Fatal(err)
	}
	dir := filepath.Join(root(p.t), "artifacts")
	if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), shot.Data, 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// ShotTop takes a picture of what a window of that height shows of the page:
// artifacts/NAME.png.
func (p *Page) ShotTop(name string, height int64) {
	p.t.Helper()
	p.Size(p.width, height)
	p.settle()
	p.picture(name)
	p.Size(p.width, 900)
}

// settle waits until what was altered last is on the screen.
func (p *Page) settle() {
	p.t.Helper()
	if p.scriptless {
		return
	}
	Eval[bool](p, `Promise.all(document.getAnimations().filter(a => a.effect?.getComputedTiming().endTime !== Infinity).map(a => a.finished.catch(() => 0)))
		.then(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true)))))`)
}

// EveryLook asks for each theme at each width, which takes four times as long as
// light and wide, dark and narrow: what is wrong with one theme or one width is
// nearly always seen in those. `make pictures` sets WINDLASS_LOOKS=all.
func EveryLook() bool { return os.Getenv("WINDLASS_LOOKS") == "all" }

// IsLooked reports whether a page is looked at so.
func IsLooked(theme string, width int64) bool {
	return EveryLook() || theme == "light" && width == 1440 || theme == "dark" && width == 390
}

// Looks goes through the themes and widths that are looked at: a picture of each,
// axe over each, and no page may be wider than its window.
func (p *Page) Looks(name string) {
	p.t.Helper()
	for _, theme := range []string{"light", "dark"} {
		p.Theme(theme)
		for _, width := range []int64{1440, 390} {
			if !IsLooked(theme, width) {
				continue
			}
			p.Size(width, 900)
			p.Shot(fmt.Sprintf("%s-%s-%d", name, theme, width))
			if over := Eval[int](p, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
				p.t.Errorf("%s, %s, %d wide: the page is %d px too wide", name, theme, width, over)
			}
			p.Axe(fmt.Sprintf("%s, %s, %d wide", name, theme, width))
		}
	}
	p.Size(1440, 900)
	p.Theme("light")
}

// root is the project's folder, where go.mod is.
func root(t testing.TB) string {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for d := dir; d != filepath.Dir(d); d = filepath.Dir(d) {
		if _, err := os.Stat(filepath.Join(d, "go.mod")); err == nil {
			return d
		}
	}
	t.Fatal("no go.mod above " + dir)
	return ""
}
