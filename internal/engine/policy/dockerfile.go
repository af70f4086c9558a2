package policy

import "strings"

// dockerfile is the directives of a dockerfile.
type dockerfile struct {
	known  bool                // there is something to judge
	byName map[string][]string // the rest of each line, by directive in capitals
}

func (c *context) dockerfile() *dockerfile {
	if c.lines == nil {
		c.lines = &dockerfile{}
		if m := c.image.Mode; m == actual || m == "Guessed" {
			c.lines = readDockerfile(c.image.Dockerfile)
		}
	}
	return c.lines
}

// readDockerfile splits a dockerfile into directives. Lines are trimmed first,
// so a backslash counts even when blanks follow it, and joined as they are.
func readDockerfile(text string) *dockerfile {
	d := &dockerfile{known: strings.TrimSpace(text) != "", byName: map[string][]string{}}
	var joined strings.Builder
	put := func() {
		name, rest := joined.String(), ""
		if i := strings.IndexAny(name, " \t"); i >= 0 {
			name, rest = name[:i], strings.TrimSpace(name[i:])
		}
		if name != "" {
			name = strings.ToUpper(name)
			d.byName[name] = append(d.byName[name], rest)
		}
		joined.Reset()
	}
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if more, ok := strings.CutSuffix(line, `\`); ok {
			joined.WriteString(more)
			continue
		}
		joined.WriteString(line)
		put()
	}
	put()
	return d
}
