package policy

import (
	"fmt"
	"slices"
	"strings"
)

func licensesGate() *gate {
	table := func(name, about string, holds func(word, item string) bool) *trigger {
		return &trigger{
			name:  name,
			about: about,
			params: []param{
				{name: "licenses", about: "The unwanted licences.", example: "GPLv2+,GPL-3+,BSD-2-clause", required: true, is: commaList()},
			},
			needs: FactPackages,
			compile: fires(func(a args) firing {
				list := items(a["licenses"])
				return func(c *context, emit func(hit)) error {
					return unwantedLicences(c, list, holds, emit)
				}
			}),
		}
	}
	return &gate{
		name:  "licenses",
		about: "Looks at the licences of the packages of the image.",
		triggers: []*trigger{
			table("blacklist_exact_match", "Fires once when packages have a licence that is in the list.",
				func(word, item string) bool { return word == item }),
			table("blacklist_partial_match", "Fires once when packages have a licence that contains a text of the list.", strings.Contains),
		},
	}
}

func unwantedLicences(c *context, list []string, holds func(word, item string) bool, emit func(hit)) error {
	var found []string
	for _, v := range c.licences() {
		if slices.ContainsFunc(list, func(item string) bool { return holds(v.word, item) }) {
			for _, name := range v.packages {
				found = append(found, name+"("+v.word+")")
			}
		}
	}
	if len(found) == 0 {
		return nil
	}
	slices.Sort(found) // so that the message does not depend on the order of packages
	found = slices.Compact(found)
	emit(hit{
		message: fmt.Sprintf("Packages have unwanted licences: %s", strings.Join(found, ", ")),
		why:     Why{Record: strings.Join(list, ", ")},
	})
	return nil
}
