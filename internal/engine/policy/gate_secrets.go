package policy

import (
	"fmt"
	"strings"

	"windlass/internal/engine/pattern"
)

func secretsGate() *gate {
	return &gate{
		name:  "secret_scans",
		about: "Looks at what the analyzer's secret search found in the files of the image.",
		triggers: []*trigger{{
			name:  "content_regex_checks",
			about: "Fires for each file and expression that the search found, or once when it found none.",
			params: []param{
				{name: "content_regex_name", about: "Only this expression, by its name in the analyzer's settings. By default there are AWS_ACCESS_KEY, AWS_SECRET_KEY, PRIV_KEY, DOCKER_AUTH and API_KEY.", example: "AWS_ACCESS_KEY", is: anyText()},
				{name: "filename_regex", about: "Only files whose full path matches this expression from its start.", example: "/etc/.*", is: anyText()},
				{name: "match_type", about: "Whether to fire when the search found something or when it did not.", example: "found", is: enum("notfound", "found")},
			},
			needs:   FactSecrets,
			compile: compileSecrets,
		}},
	}
}

func compileSecrets(a args) (firing, error) {
	name, absent := a["content_regex_name"], a["match_type"] == "notfound"
	var paths *pattern.Regexp
	if expr := a["filename_regex"]; expr != "" {
		var err error
		if paths, err = pattern.Compile(expr); err != nil {
			return nil, err
		}
	}
	return func(c *context, emit func(hit)) error {
		any := false
		for _, f := range c.image.Secrets {
			// As in v1, the parameter may hold more than the name.
			if name != "" && !strings.Contains(name, f.Name) {
				continue
			}
			if paths != nil {
				ok, err := paths.MatchStart(c.budget, f.Path)
				if err != nil {
					return err
				}
				if !ok {
					continue
				}
			}
			any = true
			if !absent {
				emit(hit{
					message: fmt.Sprintf("Secret search found a match in file %s: name %s, regex %s", f.Path, f.Name, f.Regex),
					why:     Why{Record: f.Name, Path: f.Path, Against: f.Regex},
				})
			}
		}
		if absent && !any {
			emit(hit{
				message: fmt.Sprintf("Secret search found no match: name '%s', files '%s'", name, a["filename_regex"]),
				why:     Why{Record: name, Path: a["filename_regex"]},
			})
		}
		return nil
	}, nil
}
