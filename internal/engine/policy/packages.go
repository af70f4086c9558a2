package policy

import (
	"strings"

	"windlass/internal/engine"
)

// packageView finds packages by name and by type.
type packageView struct {
	list   []engine.Package
	first  map[string]int32 // by name: its place in list, plus 1
	next   []int32          // after each: the next of the same name, plus 1; 0: none
	byType map[string][]*engine.Package
}

func (c *context) packages() *packageView {
	if c.names == nil {
		list := c.image.Packages
		v := &packageView{list: list, first: make(map[string]int32, len(list)), next: make([]int32, len(list))}
		for i := len(list) - 1; i >= 0; i-- {
			v.next[i] = v.first[list[i].Name]
			v.first[list[i].Name] = int32(i) + 1
		}
		c.names = v
	}
	return c.names
}

// named are the packages of a name, in the order in which they were given.
func (v *packageView) named(name string) []*engine.Package {
	var list []*engine.Package
	for i := v.first[name]; i > 0; i = v.next[i-1] {
		list = append(list, &v.list[i-1])
	}
	return list
}

// typed are the packages of a type.
func (v *packageView) typed(packageType string) []*engine.Package {
	if v.byType == nil {
		v.byType = map[string][]*engine.Package{}
		for i := range v.list {
			p := &v.list[i]
			v.byType[p.Type] = append(v.byType[p.Type], p)
		}
	}
	return v.byType[packageType]
}

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
