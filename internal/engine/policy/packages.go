package policy

import (
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

// licenceView is one word of licences and the packages that have it. An image
// has thousands of packages and some dozens of words.
type licenceView struct {
	word     string
	packages []string
}

func (c *context) licences() []licenceView {
	if c.words != nil {
		return c.words
	}
	at := map[string]int{}
	c.words = []licenceView{}
	for i := range c.image.Packages {
		p := &c.image.Packages[i]
		for _, text := range p.Licenses {
			for word := range strings.FieldsSeq(text) {
				j, ok := at[word]
				if !ok {
					j = len(c.words)
					at[word] = j
					c.words = append(c.words, licenceView{word: word})
				}
				c.words[j].packages = append(c.words[j].packages, p.Name)
			}
		}
	}
	return c.words
}
