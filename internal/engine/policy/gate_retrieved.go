package policy

import (
	"fmt"
	"strings"

	"windlass/internal/engine/pattern"
)

func retrievedGate() *gate {
	file := param{name: "path", about: "The full path of the file.", example: "/etc/httpd.conf", required: true, is: anyText()}
	return &gate{
		name:  "retrieved_files",
		about: "Looks at the content of files that the analyzer is set to retrieve.",
		triggers: []*trigger{
			{
				name:   "content_not_available",
				about:  "Fires when the file was not retrieved.",
				params: []param{file},
				needs:  FactRetrieved,
				compile: fires(func(a args) firing {
					return func(c *context, emit func(hit)) error {
						h := hit{message: fmt.Sprintf("The content of %s is not available", a["path"]), why: Why{Record: a["path"], Path: a["path"]}}
						// v1 says it twice when nothing was retrieved at all, and
						// clients count rows.
						if len(c.image.Retrieved) == 0 {
							emit(h)
						}
						if retrieved(c.image, a["path"]) == nil {
							emit(h)
						}
						return nil
					}
				}),
			},
			{
				name:  "content_regex",
				about: "Fires when a word of the file matches the expression from its start, or when none does.",
				params: []param{
					file,
					{name: "check", about: "Whether to fire when a word matches or when none does.", example: "match", required: true, is: enum("match", "no_match")},
					{name: "regex", about: "The regular expression.", example: ".*SSlEnabled.*", required: true, is: anyText()},
				},
				needs:   FactRetrieved,
				compile: compileRetrieved,
			},
		},
	}
}

func retrieved(img *Image, path string) *Retrieved {
	for i := range img.Retrieved {
		if img.Retrieved[i].Path == path {
			return &img.Retrieved[i]
		}
	}
	return nil
}

func compileRetrieved(a args) (firing, error) {
	path, check := a["path"], a["check"]
	re, err := pattern.Compile(a["regex"])
	return func(c *context, emit func(hit)) error {
		f := retrieved(c.image, path)
		if f == nil {
			return nil
		}
		any := false
		for word := range strings.FieldsSeq(string(f.Body)) {
			ok, err := re.MatchStart(c.budget, word)
			if err != nil {
				return err
			}
			if any = ok; any {
				break
			}
		}
		if any != (check == "match") {
			return nil
		}
		message := fmt.Sprintf("The content of %s has nothing that matches %s", path, re)
		if any {
			message = fmt.Sprintf("The content of %s has a text that matches %s", path, re)
		}
		emit(hit{message: message, ruled: "file://" + path, why: Why{Record: path, Path: path, Against: re.String()}})
		return nil
	}, err
}
