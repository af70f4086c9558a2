package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"windlass/internal/cli/python"
)

// patience is how long and how often a wait asks.
type patience struct{ timeout, interval float64 }

func (p *patience) register(c *cobra.Command) {
	c.Flags().Float64Var(&p.timeout, "timeout", -1, "seconds to wait at most; less than 0 is for ever")
	c.Flags().Float64Var(&p.interval, "interval", 5, "seconds between checks")
}

// until repeats a check until it is done or time is up.
func (p *patience) until(ctx context.Context, since time.Time, check func() (done bool, err error)) error {
	for p.timeout < 0 || time.Since(since).Seconds() < p.timeout {
		done, err := check()
		if done || err != nil {
			return err
		}
		if err := rest(ctx, p.interval); err != nil {
			return err
		}
	}
	return verbatim("timed out after " + python.Str(p.timeout) + " seconds.")
}

func (a *app) imageWait() *cobra.Command {
	var p patience
	c := a.command("wait INPUT_IMAGE", "Wait until an image is analysed, or failed to be", func(ctx context.Context, args []string) error {
		var last *reply
		began := time.Now()
		err := p.until(ctx, began, func() (bool, error) {
			r, err := a.client.lookup(ctx, args[0], false)
			if err != nil {
				return false, err
			}
			last = r
			if !r.ok() {
				return true, nil
			}
			look := &reader{}
			status := python.Str(look.at(r.body, 0, "analysis_status"))
			if look.err != nil {
				return false, look.err
			}
			if status == "analyzed" || status == "analysis_failed" {
				return true, nil
			}
			a.waiting(status, began, p.interval)
			return false, nil
		})
		a.settled()
		if err != nil {
			return err
		}
		return a.show(last, "image wait", imageLines)
	})
	p.register(c)
	return c
}

// waiting tells that an image is not ready: two lines a round, or on a terminal
// one that counts.
func (a *app) waiting(status string, since time.Time, interval float64) {
	if a.live() {
		fmt.Fprintf(a.Err, "\r\x1b[KStatus: %s, waiting for %s", printable(status), time.Since(since).Round(time.Second))
		return
	}
	a.println("Status: " + status + "\nWaiting " + python.Str(interval) + " seconds for next retry.")
}

// live: progress can be drawn in place.
func (a *app) live() bool { return a.style.terminal && a.ErrTerminal }

// settled takes away what was drawn in place.
func (a *app) settled() {
	if a.live() {
		fmt.Fprint(a.Err, "\r\x1b[K")
	}
}

func (a *app) systemWait() *cobra.Command {
	var p patience
	var feeds, services string
	c := a.unchecked("wait", "Wait until the system is ready", func(ctx context.Context, _ []string) error {
		began := time.Now()
		a.note("Starting checks to wait for anchore-engine to be available timeout=%s interval=%s", python.Str(p.timeout), python.Str(p.interval))
		for _, check := range []func(context.Context) (bool, error){
			a.answers,
			func(ctx context.Context) (bool, error) { return a.servicesUp(ctx, names(services)) },
			func(ctx context.Context) (bool, error) { return a.feedsSynced(ctx, names(feeds)) },
		} {
			if err := p.until(ctx, began, func() (bool, error) { return check(ctx) }); err != nil {
				return err
			}
		}
		return nil
	})
	p.register(c)
	c.Flags().StringVar(&feeds, "feedsready", "vulnerabilities", "feeds that must be synced, separated by commas; empty for none")
	c.Flags().StringVar(&services, "servicesready", "catalog,apiext,policy_engine,simplequeue,analyzer", "services that must be up, separated by commas")
	return c
}

func names(list string) []string {
	var out []string
	for n := range strings.SplitSeq(list, ",") {
		if n = strings.TrimSpace(n); n != "" {
			out = append(out, n)
		}
	}
	return out
}

// note writes a line of progress on the standard error.
func (a *app) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if a.ErrTerminal {
		text = printable(text)
	}
	fmt.Fprintln(a.Err, text)
}

func (a *app) answers(ctx context.Context) (bool, error) {
	a.note("API availability: Checking anchore-engine URL (%s)...", a.settings.url)
	r, err := a.client.ping(ctx)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err != nil || r.code != 200 {
		return false, nil
	}
	a.note("API availability: Success.")
	return true, nil
}

// servicesUp: one living copy of each service that is asked for or that has a
// record is enough.
func (a *app) servicesUp(ctx context.Context, want []string) (bool, error) {
	a.note("Service availability: Checking for service set (%s)...", strings.Join(want, ","))
	r, err := a.client.get(ctx, "/system")
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err != nil {
		a.note("service status failed %s", err)
		return false, nil
	}
	look := &reader{}
	states := look.at(r.body, "service_states")
	if !r.ok() || look.err != nil {
		a.note("service status failed %s", python.Str(r.body))
		return false, nil
	}
	up := map[string]bool{}
	for _, name := range want {
		up[name] = false
	}
	for _, s := range look.list(states) {
		name := python.Str(look.opt(s, "servicename"))
		detail := look.opt(s, "service_detail")
		up[name] = up[name] || python.Truthy(detail) && python.Truthy(look.opt(detail, "up"))
	}
	for _, ok := range up {
		if !ok {
			return false, nil
		}
	}
	if look.err != nil {
		return false, nil
	}
	a.note("Service availability: Success.")
	return true, nil
}

func (a *app) feedsSynced(ctx context.Context, want []string) (bool, error) {
	if len(want) == 0 {
		return true, nil
	}
	a.note("Feed sync: Checking sync completion for feed set (%s)...", strings.Join(want, ","))
	r, err := a.client.get(ctx, "/system/feeds")
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err != nil || !r.ok() {
		return false, nil
	}
	for _, name := range want {
		look := &reader{}
		synced, err := feedSynced(look, r.body, name)
		if err != nil {
			return false, err
		}
		if !synced || look.err != nil {
			return false, nil
		}
	}
	a.note("Feed sync: Success.")
	return true, nil
}

// feedSynced: the feed had a full sync and each of its enabled groups one of its
// own. A disabled feed would be waited for in vain.
func feedSynced(r *reader, feeds any, name string) (bool, error) {
	for _, feed := range r.list(feeds) {
		if r.opt(feed, "name") != name {
			continue
		}
		if r.err == nil && !enabled(r, feed) {
			return false, fmt.Errorf("feed %s is disabled", name)
		}
		groups := r.opt(feed, "groups")
		if r.opt(feed, "last_full_sync") == nil || !python.Truthy(groups) {
			return false, nil
		}
		for _, g := range r.list(groups) {
			if enabled(r, g) && !python.Truthy(r.opt(g, "last_sync")) {
				return false, nil
			}
		}
		return true, nil
	}
	return false, nil
}
