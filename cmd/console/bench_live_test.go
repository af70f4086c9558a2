//go:build bench

package main

import (
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/bff/browsertest"
	"windlass/internal/engine/enginetest"
)

// Two browsers on the built program: one deletes events, the other shows that
// they are gone. Measured from the press in the one to the picture of the
// other, on an ordinary day, after the program was started again, and with the
// program's connections to its database cut before each press.
func TestBenchTwoBrowsers(t *testing.T) {
	bin, err := filepath.Abs("../../bin/console")
	if err != nil {
		t.Fatal(err)
	}
	dsn := enginetest.Database(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	ln.Close()
	dir := dataDir(t)
	flags := []string{"--database-url=" + dsn, "--addr=" + addr, "--services=apiext,catalog,simplequeue,policy_engine"}
	c := startChild(t, bin, dir, "http://127.0.0.1:9", flags...)
	const presses = 40
	for i := range 3 * presses {
		c.call(t, http.MethodPost, "/images", fmt.Sprintf(`{"tag":"127.0.0.1:9/nobody:%d"}`, i), nil)
	}
	one, two := browsertest.Open(t), browsertest.Open(t)
	for _, p := range []*browsertest.Page{one, two} {
		p.Forgive(func(string) bool { return true }) // it measures; the tests judge
		p.Login(c.console, "admin", c.password)
	}
	round := func(what string, before func()) {
		t.Helper()
		one.Goto(c.console + "/events?level=error")
		one.Live()
		two.Goto(c.console + "/events?level=error")
		two.Live()
		browsertest.Eval[bool](two, `(window.gone = {}, new MutationObserver((list) => {
			for (const m of list) {
				if (m.target.id?.startsWith("event-") && m.target.classList.contains("gone")) window.gone[m.target.id] ??= Date.now();
				for (const el of m.removedNodes) if (el.id?.startsWith("event-")) window.gone[el.id] ??= Date.now();
			}
		}).observe(document.body, {subtree: true, childList: true, attributes: true, attributeFilter: ["class"]}), true)`)
		ids := browsertest.Eval[[]string](two, `[...document.querySelectorAll("#events-rows tr")].map(r => r.id)`)
		var took []time.Duration
		for _, id := range ids[:min(presses, len(ids))] {
			before()
			pressed := browsertest.Eval[int64](one, fmt.Sprintf(`(async () => { for (;;) { const at = Date.now();
				const r = await fetch("/events/%s/delete", {method: "POST", redirect: "manual", headers: {"X-CSRF-Token": document.querySelector("meta[name=csrf]").content}});
				if (r.ok || r.type === "opaqueredirect") return at } })()`, id[len("event-"):]))
			two.Wait(fmt.Sprintf("window.gone[%q]", id))
			took = append(took, time.UnixMilli(browsertest.Eval[int64](two, fmt.Sprintf("window.gone[%q]", id))).Sub(time.UnixMilli(pressed)))
		}
		slices.Sort(took)
		report(what+", p50", took[len(took)/2])
		report(what+", p95 (limit 250 ms)", took[len(took)*95/100])
	}
	round("one browser's deletion on another's page", func() {})
	c.stop()
	c = startChild(t, bin, dir, "http://127.0.0.1:9", flags...)
	one.Live()
	two.Live()
	round("the same after a restart of the program", func() {})
	db, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(t.Context())
	round("the same, database connections cut before each", func() {
		if _, err := db.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`); err != nil {
			t.Fatal(err)
		}
	})
	c.stop()
}
