package bff

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/sync/errgroup"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates"
)

// Search is what the search over everything asks of an engine, beside what the
// pages ask.
type Search interface {
	// FindPackages lists names that begin with a text among the packages of the
	// account's images, FindVulns ids among what these are affected by.
	FindPackages(ctx context.Context, account, prefix string, limit int) ([]string, error)
	FindVulns(ctx context.Context, account, prefix string, limit int) ([]string, error)
}

// A search is bounded in what it is given, in how long it takes, and in how
// much of the database it takes at once: somebody is typing.
const (
	searchText     = 200 // characters
	searchTime     = 2 * time.Second
	searchAtOnce   = 3
	searchShortest = 2 // characters, below which only pages and actions are looked at
)

func (s *Server) searchRoutes(r fiber.Router) {
	r.Get(present.SearchHref, s.search)
}

// search answers with a page or, for the palette, with its options alone.
func (s *Server) search(c *fiber.Ctx) error {
	q := strings.TrimSpace(strings.ReplaceAll(strings.ToValidUTF8(c.Query("q"), ""), "\x00", ""))
	if r := []rune(q); len(r) > searchText {
		q = string(r[:searchText])
	}
	v := present.Search(s.find(c.UserContext(), s.who(c), q), s.clock(c))
	if c.Query("as") == "options" {
		return s.render(c, templates.PaletteOptions(v))
	}
	return s.render(c, templates.Search(s.page(c, "Search", ""), v))
}

// source is one place to look in: the page whose action its reader needs, and
// how to ask. What it finds it puts away itself.
type source struct {
	name, page string
	ask        func(context.Context) error
}

// find asks what the user may see, several at once. A source that fails or is
// slow is named, and costs the others nothing.
func (s *Server) find(ctx context.Context, who engine.Identity, q string) present.SearchIn {
	in := present.SearchIn{Query: q, Who: who, Open: s.opens(who)}
	if len([]rune(q)) < searchShortest {
		return in
	}
	ctx, cancel := context.WithTimeout(ctx, searchTime)
	defer cancel()
	var mu sync.Mutex
	var g errgroup.Group
	g.SetLimit(searchAtOnce)
	for _, src := range s.sources(who, q, &in) {
		if !in.Open(src.page) {
			continue
		}
		g.Go(func() error {
			if err := src.ask(ctx); err != nil && !errors.Is(err, engine.ErrNotFound) {
				mu.Lock()
				defer mu.Unlock()
				in.Faults = append(in.Faults, s.searchFault(ctx, src.name, err))
			}
			return nil
		})
	}
	_ = g.Wait() // none of them gives an error
	return in
}

// opens tells which pages a user can open that have something on them.
func (s *Server) opens(who engine.Identity) func(href string) bool {
	may, lacks := mayOpen(who), s.lacking()
	return func(href string) bool {
		path, _, _ := strings.Cut(href, "?")
		return may(path) && !lacks.Pages[path]
	}
}

func (s *Server) searchFault(ctx context.Context, name string, err error) string {
	if errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
		return name + " took too long and are left out."
	}
	e := explain(err)
	if e.Code == http.StatusInternalServerError {
		s.log.ErrorContext(ctx, "search failed", "source", name, "error", err)
	}
	return name + " are left out: " + e.Message
}

var (
	eventID  = regexp.MustCompile(`^[0-9a-f]{32}$`)
	vulnID   = regexp.MustCompile(`(?i)^(cve|ghsa|alas|rhsa|elsa|dsa|dla|usn|pysec|rustsec|go|temp)-`)
	vulnYear = regexp.MustCompile(`^(19|20)\d\d-\d+$`)
)

func (s *Server) sources(who engine.Identity, q string, in *present.SearchIn) []source {
	account := who.Account
	list := []source{
		{"Images", "/images", func(ctx context.Context) (err error) {
			in.Images, _, err = s.engine.Images(ctx, account, engine.ImageFilter{Text: q, AnyStatus: true, Limit: present.SearchRows})
			return err
		}},
		{"Packages", "/images", func(ctx context.Context) (err error) {
			in.Packages, err = s.engine.FindPackages(ctx, account, q, present.SearchRows)
			return err
		}},
		{"Policies", "/policies", func(ctx context.Context) error {
			return s.engine.EachPolicy(ctx, account, false, func(b engine.PolicyBundle) error {
				in.Policies = append(in.Policies, b)
				return nil
			})
		}},
		{"Services", "/services", func(ctx context.Context) (err error) {
			in.Services, err = s.engine.Services(ctx)
			return err
		}},
		{"Events", "/events", func(ctx context.Context) (err error) {
			in.Events, err = s.findEvents(ctx, account, q)
			return err
		}},
	}
	if id := vulnerability(q); id != "" {
		list = append(list, source{"Vulnerabilities", "/images", func(ctx context.Context) (err error) {
			in.Vulns, err = s.engine.FindVulns(ctx, account, id, present.SearchRows)
			return err
		}})
	}
	if who.Admin {
		list = append(list, source{"Accounts", "/accounts", func(ctx context.Context) (err error) {
			in.Accounts, _, err = s.engine.Accounts(ctx, engine.AccountFilter{Text: q, Limit: present.SearchRows})
			return err
		}})
	}
	return list
}

// findEvents looks for an id, or for text in the newest events.
func (s *Server) findEvents(ctx context.Context, account, q string) ([]engine.Event, error) {
	if id := strings.ToLower(q); eventID.MatchString(id) {
		e, err := s.engine.Event(ctx, account, id)
		if err != nil {
			return nil, err
		}
		return []engine.Event{e}, nil
	}
	list, err := s.engine.Events(ctx, account, engine.EventFilter{Text: q}, engine.EventPage{Limit: present.SearchRows})
	return list.Events, err
}

// vulnerability is a query as the beginning of an id, if it is one.
func vulnerability(q string) string {
	switch {
	case vulnYear.MatchString(q):
		return "CVE-" + q
	case !vulnID.MatchString(q):
		return ""
	}
	if kind, rest, _ := strings.Cut(q, "-"); strings.EqualFold(kind, "ghsa") {
		return "GHSA-" + strings.ToLower(rest)
	}
	return strings.ToUpper(q)
}
