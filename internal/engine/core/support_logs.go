package core

import (
	"context"
	"fmt"
	"strings"

	"windlass/internal/engine"
	"windlass/internal/engine/support"
)

const (
	bundleLines = 4000 // of each service's log
	bundleHosts = 8    // other hosts whose logs are packed
)

// bundledLogs are the last lines of the services: of this host, and of the
// hosts on which they have records.
func (c *Core) bundledLogs(ctx context.Context) (parts []support.Part) {
	hosts, err := c.relay.Hosts(ctx)
	if err != nil { // what is here can be told all the same
		hosts = []engine.LogHost{{Name: c.opts.Host, Own: true}}
	}
	for i, h := range hosts[:min(len(hosts), bundleHosts+1)] {
		folder, services := "logs/", engine.ServiceNames
		if !h.Own {
			// Its name is foreign, and may not be fit for a file's.
			folder, services = fmt.Sprintf("logs/host-%d-%s/", i+1, fileName(h.Name)), h.Services
		}
		for _, name := range services {
			parts = append(parts, support.Part{
				Name: folder + name + ".log", Says: "its last lines on " + h.Name, Make: func() (any, error) { return c.bundledLog(ctx, h.Name, name) },
			})
		}
	}
	return parts
}

func fileName(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' {
			return r
		}
		return '_'
	}, s[:min(len(s), 64)])
}

func (c *Core) bundledLog(ctx context.Context, host, service string) (string, error) {
	page, err := c.relay.Tail(ctx, engine.LogQuery{Services: []string{service}, Hosts: []string{host}, Limit: bundleLines})
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, f := range page.Failed {
		fmt.Fprintf(&b, "The log of %s cannot be read: %s.\n", f.Host, f.Reason)
	}
	for _, l := range page.Lines {
		fmt.Fprintf(&b, "%s [%s] [%s] [%s] %s\n", l.At.UTC().Format("2006-01-02 15:04:05.000"), l.Component, l.Module, l.Level, l.Text)
	}
	if b.Len() == 0 {
		return "No lines: the service does not run on this host, or has said nothing.\n", nil
	}
	return b.String(), nil
}
