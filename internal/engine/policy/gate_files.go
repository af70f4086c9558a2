package policy

import (
	"fmt"
	"strconv"
	"strings"

	"windlass/internal/engine"
	"windlass/internal/engine/pattern"
)

func filesGate() *gate {
	return &gate{
		name:  "files",
		about: "Looks at the files of the image: names, contents found by the analyzer's search, checksums, modes.",
		triggers: []*trigger{
			{
				name:  "content_regex_match",
				about: "Fires for each file in which the analyzer's content search found one of its expressions.",
				params: []param{
					{name: "regex_name", about: "Only this expression, by its name or as it is written in the analyzer's settings.", example: ".*password.*", is: anyText()},
				},
				needs:   FactContent,
				compile: fires(compileContent),
			},
			{
				name:  "name_match",
				about: "Fires for each file whose full path matches the expression from its start.",
				params: []param{
					{name: "regex", about: "The regular expression.", example: `.*\.pem`, required: true, is: anyText()},
				},
				needs:   FactFiles,
				text:    textOfName,
				compile: compileName,
			},
			{
				name:  "attribute_match",
				about: "Fires when a file has the given checksum and mode, whichever of the two are given; and when it is absent, if that is asked for.",
				params: []param{
					{name: "filename", about: "The full path of the file.", example: "/etc/passwd", required: true, is: anyText()},
					{name: "checksum_algorithm", about: "How the checksum is made.", example: "sha256", is: enum("sha256")},
					{name: "checksum", about: "The checksum to compare with, in hexadecimal.", example: "832cd0f75b227d13aac82b1f70b7f90191a4186c151f9db50851d209c45ede11", is: anyText()},
					{name: "checksum_match", about: "Whether to fire when the checksum is the given one or when it is not.", example: "equals", is: enum("equals", "not_equals")},
					{name: "mode", about: "The permission bits to compare with, in octal.", example: "00644", is: shaped("An octal number.", `^[0-7]+$`)},
					{name: "mode_op", about: "Whether to fire when the mode is the given one or when it is not.", example: "equals", is: enum("equals", "not_equals")},
					{name: "skip_missing", about: "Do not fire when the file is absent.", example: "true", is: boolean()},
				},
				needs:   FactFiles,
				compile: fires(compileAttribute),
			},
			{
				name:    "suid_or_guid_set",
				about:   "Fires for each file that runs with the rights of its owner or its group.",
				needs:   FactFiles,
				compile: plain(setID),
			},
		},
	}
}

func compileContent(a args) firing {
	name := a["regex_name"]
	return func(c *context, emit func(hit)) error {
		for _, f := range c.image.Content {
			if name == "" || name == f.Name || name == f.Regex {
				emit(hit{
					message: fmt.Sprintf("File %s contains a text that matches %s=%s", f.Path, f.Name, f.Regex),
					why:     Why{Record: f.Name, Path: f.Path, Against: f.Regex},
				})
			}
		}
		return nil
	}
}

// textOfName is a text that all names which match the expression contain.
func textOfName(a args) string {
	re, err := pattern.Compile(a["regex"])
	if err != nil {
		return ""
	}
	text, prefix := re.Literal()
	if prefix {
		return "" // then the names are found by it
	}
	return text
}

func compileName(a args) (firing, error) {
	re, err := pattern.Compile(a["regex"])
	return func(c *context, emit func(hit)) error {
		return c.fileView().matching(c.budget, re, func(f *engine.File) {
			emit(hit{
				message: fmt.Sprintf("File %s has a name that matches %s", f.Path, re),
				why:     Why{Record: f.Path, Path: f.Path, Against: re.String()},
			})
		})
	}, err
}

func compileAttribute(a args) firing {
	filename, checksum, mode := a["filename"], a["checksum"], a["mode"]
	wantSum, wantMode := a["checksum_match"] != "not_equals", a["mode_op"] != "not_equals"
	skip := a["skip_missing"] == "" || truth(a["skip_missing"])
	bits, _ := strconv.ParseUint(mode, 8, 64)
	return func(c *context, emit func(hit)) error {
		f := c.fileView().find(filename)
		if f == nil {
			if !skip {
				emit(hit{message: fmt.Sprintf("File %s is absent", filename), why: Why{Record: filename, Path: filename}})
			}
			return nil
		}
		if checksum == "" && mode == "" {
			return nil
		}
		var found []string
		if checksum != "" {
			if strings.EqualFold(f.SHA256, checksum) != wantSum {
				return nil
			}
			found = append(found, fmt.Sprintf("checksum sha256:%s %s %s", f.SHA256, relation(wantSum), checksum))
		}
		if mode != "" {
			if (permissions(f.Mode) == bits&permissionBits) != wantMode {
				return nil
			}
			found = append(found, fmt.Sprintf("mode %s %s %s", f.Mode, relation(wantMode), mode))
		}
		emit(hit{
			message: fmt.Sprintf("File %s: %s", filename, strings.Join(found, ", ")),
			why:     Why{Record: filename, Path: filename, Version: f.SHA256, Against: strings.TrimSpace(checksum + " " + mode)},
		})
		return nil
	}
}

func relation(equal bool) string {
	if equal {
		return "equals"
	}
	return "differs from"
}

func setID(c *context, emit func(hit)) error {
	for _, f := range c.fileView().setID() {
		emit(hit{message: fmt.Sprintf("File %s has its setuid or setgid bit set: mode %s", f.Path, octal(f.Mode)), why: Why{Record: f.Path, Path: f.Path}})
	}
	return nil
}
