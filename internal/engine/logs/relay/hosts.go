package relay

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"windlass/internal/engine"
)

// member is a host in the service records.
type member struct {
	name     string
	services []string
	bases    []string // addresses of its services, those that are up first
	heard    time.Time
	silent   bool // for so long that it counts as gone
}

// members lists the hosts of the records, this one first.
func (r *Reader) members(ctx context.Context) ([]member, error) {
	own := r.own.Host()
	list := []member{{name: own}}
	records, err := r.services(ctx)
	if err != nil {
		return list, fmt.Errorf("hosts: %w", err)
	}
	slices.SortStableFunc(records, func(a, b engine.Service) int {
		return cmp.Or(strings.Compare(a.Host, b.Host), down(a)-down(b))
	})
	for _, s := range records {
		i := slices.IndexFunc(list, func(m member) bool { return m.name == s.Host })
		if i < 0 {
			i = len(list)
			list = append(list, member{name: s.Host, silent: true})
		}
		m := &list[i]
		m.services = append(m.services, s.Name)
		m.silent = m.silent && s.State == engine.ServiceOrphaned
		if s.HeartbeatAt.After(m.heard) {
			m.heard = s.HeartbeatAt
		}
		if s.BaseURL != "" && !slices.Contains(m.bases, s.BaseURL) {
			m.bases = append(m.bases, s.BaseURL)
		}
	}
	for i := range list {
		slices.SortFunc(list[i].services, func(a, b string) int {
			return slices.Index(engine.ServiceNames, a) - slices.Index(engine.ServiceNames, b)
		})
	}
	return list, nil
}

func down(s engine.Service) int {
	if s.Up() {
		return 0
	}
	return 1
}

// Hosts lists the hosts whose logs can be asked for, this one first.
func (r *Reader) Hosts(ctx context.Context) ([]engine.LogHost, error) {
	list, err := r.members(ctx)
	if err != nil {
		return nil, err
	}
	hosts := make([]engine.LogHost, len(list))
	for i, m := range list {
		hosts[i] = engine.LogHost{Name: m.name, Own: i == 0, Services: m.services}
	}
	return hosts, nil
}

// chosen is a host that a query asks for: its logs, or why they are not to be
// had.
type chosen struct {
	host   string
	logs   source
	reason string
}

// choose picks the hosts of a query. Without names it asks all that may
// answer.
func (r *Reader) choose(ctx context.Context, names []string) []chosen {
	own := r.own.Host()
	if len(names) == 1 && names[0] == own {
		return []chosen{{host: own, logs: r.own}}
	}
	list, err := r.members(ctx)
	if err != nil {
		out := []chosen{{host: own, logs: r.own}}
		if len(names) == 0 {
			return append(out, chosen{host: "other hosts", reason: "their addresses stand in the database, which does not answer"})
		}
		list = list[:1]
	}
	var out []chosen
	for _, m := range list {
		named := slices.Contains(names, m.name)
		if len(names) > 0 && !named {
			continue
		}
		c := chosen{host: m.name}
		switch reason := r.resting(m.name); {
		case m.name == own:
			c.logs = r.own
		case len(out) >= engine.MaxLogHosts:
			c.reason = fmt.Sprintf("at most %d hosts are read at once: choose it by name", engine.MaxLogHosts)
		case m.silent && !named:
			c.reason = "it has been silent since " + m.heard.UTC().Format("2006-01-02 15:04:05") + " UTC and counts as gone"
		case reason != "" && !named:
			c.reason = reason
		default:
			c.logs = &peer{reader: r, host: m.name, bases: m.bases}
		}
		out = append(out, c)
	}
	for _, name := range names {
		if !slices.ContainsFunc(out, func(c chosen) bool { return c.host == name }) && len(out) < 2*engine.MaxLogHosts {
			reason := "no service has a record on it any more"
			if err != nil {
				reason = "its address stands in the database, which does not answer"
			}
			out = append(out, chosen{host: name, reason: reason})
		}
	}
	return out
}
