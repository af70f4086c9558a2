package policy

import (
	"fmt"
	"slices"
	"strings"

	"windlass/internal/engine/pattern"
)

func dockerfileGate() *gate {
	return &gate{
		name:  "dockerfile",
		about: "Looks at the dockerfile of the image: the one given when the image was added, or the one guessed from its history.",
		triggers: []*trigger{
			{
				name:  "instruction",
				about: "Fires for each line of a directive that satisfies the check, or once when the directive is absent and the check is not_exists.",
				params: []param{
					{name: "instruction", about: "The directive to look at, in capitals.", example: "FROM", required: true,
						is: enum("ADD", "ARG", "COPY", "CMD", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL",
							"MAINTAINER", "ONBUILD", "USER", "RUN", "SHELL", "STOPSIGNAL", "VOLUME", "WORKDIR")},
					{name: "check", about: "How the rest of the line is compared with the value.", example: "=", required: true,
						is: enum("=", "!=", "exists", "not_exists", "like", "not_like", "in", "not_in")},
					{name: "value", about: "What to compare with. All checks but exists and not_exists need it.", example: "scratch", is: anyText()},
					actualOnly(),
				},
				needs:   FactDockerfile,
				compile: compileInstruction,
			},
			{
				name:  "effective_user",
				about: "Fires when the user the image runs as is in the list (blacklist), or is not (whitelist). Without a USER line it is root.",
				params: []param{
					{name: "users", about: "The names to compare with.", example: "root,docker", required: true, is: commaList()},
					{name: "type", about: "Whether the list names the wanted users or the unwanted.", example: "blacklist", required: true, is: enum("whitelist", "blacklist")},
				},
				needs:   FactDockerfile,
				compile: fires(compileUser),
			},
			{
				name:  "exposed_ports",
				about: "Fires for each exposed port that is in the list (blacklist), or is not (whitelist).",
				params: []param{
					{name: "ports", about: "The port numbers to compare with.", example: "80,8080,8088", required: true, is: commaNumbers()},
					{name: "type", about: "Whether the list names the wanted ports or the unwanted.", example: "blacklist", required: true, is: enum("whitelist", "blacklist")},
					actualOnly(),
				},
				needs:   FactDockerfile,
				compile: fires(compilePorts),
			},
			{
				name:  "no_dockerfile_provided",
				about: "Fires when the image was added without its dockerfile.",
				needs: FactDockerfile,
				compile: plain(func(c *context, emit func(hit)) error {
					if c.image.Mode != actual {
						emit(hit{message: "The image was added without its dockerfile"})
					}
					return nil
				}),
			},
		},
	}
}

func actualOnly() param {
	return param{name: "actual_dockerfile_only", about: "Look only at a dockerfile that was given, not at a guessed one.", example: "true", is: boolean()}
}

// actual is the mode of a dockerfile that was given with the image.
const actual = "Actual"

func compileInstruction(a args) (firing, error) {
	directive, check, value, only := a["instruction"], a["check"], a["value"], truth(a["actual_dockerfile_only"])
	if value == "" && check != "exists" && check != "not_exists" {
		return silent, nil
	}
	var holds func(c *context, line string) (bool, error)
	switch check {
	case "exists":
		holds = func(*context, string) (bool, error) { return true, nil }
	case "not_exists":
	default:
		compare, err := comparison(check, value)
		if err != nil {
			return nil, err
		}
		holds = compare
	}
	return func(c *context, emit func(hit)) error {
		d := c.dockerfile()
		if !d.known || only && c.image.Mode != actual {
			return nil
		}
		lines := d.byName[directive]
		if check == "not_exists" {
			if len(lines) == 0 {
				emit(hit{message: fmt.Sprintf("Dockerfile has no directive %s (check %s)", directive, check), why: Why{Record: directive}})
			}
			return nil
		}
		for _, line := range lines {
			ok, err := holds(c, line)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			message := fmt.Sprintf("Dockerfile directive %s satisfies check %s: line: %s", directive, check, line)
			if check != "exists" {
				message = fmt.Sprintf("Dockerfile directive %s satisfies check %s with value '%s': line: %s", directive, check, value, line)
			}
			emit(hit{message: message, why: Why{Record: directive + " " + line, Against: value}})
		}
		return nil
	}, nil
}

// silent never fires.
func silent(*context, func(hit)) error { return nil }

// comparison is the test of a text by one of the checks that need a value.
func comparison(check, value string) (func(c *context, s string) (bool, error), error) {
	switch check {
	case "=":
		return func(_ *context, s string) (bool, error) { return s == value, nil }, nil
	case "!=":
		return func(_ *context, s string) (bool, error) { return s != value, nil }, nil
	case "<":
		return func(_ *context, s string) (bool, error) { return s < value, nil }, nil
	case "<=":
		return func(_ *context, s string) (bool, error) { return s <= value, nil }, nil
	case ">":
		return func(_ *context, s string) (bool, error) { return s > value, nil }, nil
	case ">=":
		return func(_ *context, s string) (bool, error) { return s >= value, nil }, nil
	case "in", "not_in":
		list, want := items(value), check == "in"
		return func(_ *context, s string) (bool, error) { return slices.Contains(list, s) == want, nil }, nil
	case "like", "not_like":
		re, err := pattern.Compile(value)
		want := check == "like"
		return func(c *context, s string) (bool, error) {
			ok, err := re.MatchStart(c.budget, s)
			return ok == want, err
		}, err
	}
	return nil, fmt.Errorf("there is no check %q", check)
}

func compileUser(a args) firing {
	users, unwanted := items(a["users"]), a["type"] == "blacklist"
	return func(c *context, emit func(hit)) error {
		d := c.dockerfile()
		if !d.known {
			return nil
		}
		user := "root"
		if lines := d.byName["USER"]; len(lines) > 0 {
			user = strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(lines[len(lines)-1], "["), "]"))
		}
		if slices.Contains(users, user) != unwanted {
			return nil
		}
		message := fmt.Sprintf("The image runs as user '%s', which is not among the wanted ones", user)
		if unwanted {
			message = fmt.Sprintf("The image runs as user '%s', which is among the unwanted ones", user)
		}
		emit(hit{message: message, why: Why{Record: user, Against: a["users"]}})
		return nil
	}
}

func compilePorts(a args) firing {
	ports, unwanted, only := items(a["ports"]), a["type"] == "blacklist", truth(a["actual_dockerfile_only"])
	names := func(port, word string) bool { return word == port || word == port+"/tcp" || word == port+"/udp" }
	return func(c *context, emit func(hit)) error {
		d := c.dockerfile()
		if !d.known || only && c.image.Mode != actual {
			return nil
		}
		for _, line := range d.byName["EXPOSE"] {
			words := strings.Fields(line)
			if unwanted {
				for _, port := range ports {
					if slices.ContainsFunc(words, func(w string) bool { return names(port, w) }) {
						emit(hit{message: fmt.Sprintf("Dockerfile exposes unwanted port %s: line: %s", port, line), why: Why{Record: "EXPOSE " + line, Against: port}})
					}
				}
				continue
			}
			for _, word := range words {
				if !slices.ContainsFunc(ports, func(p string) bool { return names(p, word) }) {
					emit(hit{message: fmt.Sprintf("Dockerfile exposes port %s, which is not among the wanted ones: line: %s", word, line), why: Why{Record: "EXPOSE " + line, Against: a["ports"]}})
				}
			}
		}
		return nil
	}
}
