package policy

import (
	"fmt"
	"slices"

	"windlass/internal/engine"
)

// feedGate is a gate on one kind of packages against the packages feed. Gems
// and npms ask the same questions under other names.
type feedGate struct {
	gate, what, group                      string
	newer, unknown, version, black, noFeed string
	example                                string
}

func rubyGemsGate() *gate {
	return feedGate{
		gate: "ruby_gems", what: "gem", group: "gem",
		newer: "newer_version_found_in_feed", unknown: "not_found_in_feed", version: "version_not_found_in_feed",
		black: "blacklist", noFeed: "feed_data_unavailable", example: "time_diff",
	}.table()
}

func npmsGate() *gate {
	return feedGate{
		gate: "npms", what: "npm package", group: "npm",
		newer: "newer_version_in_feed", unknown: "unknown_in_feeds", version: "version_not_in_feeds",
		black: "blacklisted_name_version", noFeed: "feed_data_unavailable", example: "time_diff",
	}.table()
}

func (g feedGate) table() *gate {
	needs := FactPackages | FactFeeds
	return &gate{
		name:  g.gate,
		about: fmt.Sprintf("Looks at each %s of the image, most triggers with the help of the packages feed.", g.what),
		triggers: []*trigger{
			{name: g.newer, about: fmt.Sprintf("Fires for each installed %s whose version is not the newest that the feed knows.", g.what), needs: needs, compile: plain(g.newest)},
			{name: g.unknown, about: fmt.Sprintf("Fires for each installed %s that the feed does not know.", g.what), needs: needs, compile: plain(g.absent)},
			{name: g.version, about: fmt.Sprintf("Fires for each installed %s whose version the feed does not know.", g.what), needs: needs, compile: plain(g.odd)},
			{
				name:  g.black,
				about: fmt.Sprintf("Fires when an unwanted %s is installed.", g.what),
				params: []param{
					{name: "name", about: "The name of the package.", example: g.example, required: true, is: anyText()},
					{name: "version", about: "Only this version.", example: "0.2.9", is: anyText()},
				},
				needs:   FactPackages,
				compile: fires(g.blacklist),
			},
			{name: g.noFeed, about: "Fires when the feed has never been fetched.", needs: FactFeeds, compile: plain(func(c *context, emit func(hit)) error {
				if !c.image.Feeds[g.group].Synced {
					emit(hit{message: fmt.Sprintf("The packages feed has no data for the group %s", g.group), why: Why{Record: g.group}})
				}
				return nil
			})},
		},
	}
}

// known calls do for each installed package with what the feed says of it.
func (g feedGate) known(c *context, do func(p *engine.Package, f FeedPackage, known bool)) {
	feed := c.image.Feeds[g.group].Packages
	for _, p := range c.packages().typed(g.group) {
		f, ok := feed[p.Name]
		do(p, f, ok)
	}
}

func (g feedGate) newest(c *context, emit func(hit)) error {
	g.known(c, func(p *engine.Package, f FeedPackage, known bool) {
		if known && f.Latest != "" && p.Version != f.Latest {
			emit(hit{
				message: fmt.Sprintf("Package (%s) %s is installed in version %s, the feed has %s", g.group, p.Name, p.Version, f.Latest),
				why:     packageWhy(p, f.Latest),
			})
		}
	})
	return nil
}

func (g feedGate) absent(c *context, emit func(hit)) error {
	any := false
	g.known(c, func(_ *engine.Package, _ FeedPackage, known bool) { any = any || known })
	if !any {
		return nil // the feed has not this kind of packages, rather than none of these
	}
	seen := map[string]bool{}
	g.known(c, func(p *engine.Package, _ FeedPackage, known bool) {
		if !known && !seen[p.Name] {
			seen[p.Name] = true
			emit(hit{message: fmt.Sprintf("Package (%s) %s is not known to the feed", g.group, p.Name), why: packageWhy(p, "")})
		}
	})
	return nil
}

func (g feedGate) odd(c *context, emit func(hit)) error {
	g.known(c, func(p *engine.Package, f FeedPackage, known bool) {
		if known && !slices.Contains(f.Versions, p.Version) {
			emit(hit{
				message: fmt.Sprintf("Package (%s) %s is installed in version %s, which the feed does not know", g.group, p.Name, p.Version),
				why:     packageWhy(p, ""),
			})
		}
	})
	return nil
}

func (g feedGate) blacklist(a args) firing {
	name, version := a["name"], a["version"]
	return func(c *context, emit func(hit)) error {
		for _, p := range c.packages().named(name) {
			if p.Type != g.group || version != "" && p.Version != version {
				continue
			}
			if version == "" {
				emit(hit{message: fmt.Sprintf("Package (%s) %s is unwanted", g.group, name), why: packageWhy(p, "")})
				return nil
			}
			emit(hit{message: fmt.Sprintf("Package (%s) %s is unwanted in version %s", g.group, name, version), why: packageWhy(p, version)})
			return nil
		}
		return nil
	}
}

func packageWhy(p *engine.Package, against string) Why {
	return Why{Record: p.Name, Package: p.Name, Version: p.Version, Path: p.Path, Against: against}
}
