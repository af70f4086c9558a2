package policy

import (
	"slices"
	"strings"

	"windlass/internal/engine"
)

// packageView finds packages by name and by type.
type packageView struct {
	byName map[string][]*engine.Package
	byType map[string][]*engine.Package
}

func (c *context) packages() *packageView {
	if c.names == nil {
		list := c.image.Packages
		c.names = &packageView{
			byName: make(map[string][]*engine.Package, len(list)),
			byType: map[string][]*engine.Package{},
		}
		for i := range list {
			p := &list[i]
			c.names.byName[p.Name] = append(c.names.byName[p.Name], p)
			c.names.byType[p.Type] = append(c.names.byType[p.Type], p)
		}
	}
	return c.names
}

func (v *packageView) named(name string) []*engine.Package { return v.byName[name] }

// licenceView is the words of the licences of one package.
type licenceView struct {
	of    *engine.Package
	words []string
}

func (c *context) licences() []licenceView {
	if c.words == nil {
		c.words = make([]licenceView, 0, len(c.image.Packages))
		for i := range c.image.Packages {
			p := &c.image.Packages[i]
			if words := strings.Fields(strings.Join(p.Licenses, " ")); len(words) > 0 {
				c.words = append(c.words, licenceView{p, slices.Compact(words)})
			}
		}
	}
	return c.words
}
