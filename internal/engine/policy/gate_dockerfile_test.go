package policy

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

const exampleDockerfile = `# a comment
FROM debian:12
run apt-get update && \
    apt-get install -y openssh-server

EXPOSE 22 8080/tcp
EXPOSE 53/udp
USER app
USER [web]
`

func tryDockerfileInstruction(t *testing.T, run runner) {
	img := &Image{Mode: "Actual", Dockerfile: exampleDockerfile}
	guessed := &Image{Mode: "Guessed", Dockerfile: exampleDockerfile}
	from := func(check, value string) []string {
		return []string{"instruction", "FROM", "check", check, "value", value}
	}
	run(t, "dockerfile", "instruction", img, map[string]check{
		"equal":                  {params: from("=", "debian:12"), want: []string{"Dockerfile directive FROM satisfies check = with value 'debian:12': line: debian:12"}},
		"not equal":              {params: from("=", "debian")},
		"differs":                {params: from("!=", "scratch"), want: []string{"Dockerfile directive FROM satisfies check != with value 'scratch': line: debian:12"}},
		"does not differ":        {params: from("!=", "debian:12")},
		"like":                   {params: from("like", `deb[a-z]+`), want: []string{"Dockerfile directive FROM satisfies check like with value 'deb[a-z]+': line: debian:12"}},
		"like from the start":    {params: from("like", `ebian`)},
		"like looks ahead":       {params: from("like", `debian(?!:11)`), want: []string{"Dockerfile directive FROM satisfies check like with value 'debian(?!:11)': line: debian:12"}},
		"not like":               {params: from("not_like", `ebian`), want: []string{"Dockerfile directive FROM satisfies check not_like with value 'ebian': line: debian:12"}},
		"in":                     {params: from("in", "alpine:3, debian:12 "), want: []string{"Dockerfile directive FROM satisfies check in with value 'alpine:3, debian:12 ': line: debian:12"}},
		"not in":                 {params: from("not_in", "alpine:3,debian:12")},
		"not in, fires":          {params: from("not_in", "alpine:3"), want: []string{"Dockerfile directive FROM satisfies check not_in with value 'alpine:3': line: debian:12"}},
		"no value":               {params: []string{"instruction", "FROM", "check", "="}},
		"each line":              {params: []string{"instruction", "EXPOSE", "check", "exists"}, want: []string{"Dockerfile directive EXPOSE satisfies check exists: line: 22 8080/tcp", "Dockerfile directive EXPOSE satisfies check exists: line: 53/udp"}},
		"absent":                 {params: []string{"instruction", "HEALTHCHECK", "check", "not_exists"}, want: []string{"Dockerfile has no directive HEALTHCHECK (check not_exists)"}},
		"there":                  {params: []string{"instruction", "FROM", "check", "not_exists"}},
		"does not exist":         {params: []string{"instruction", "HEALTHCHECK", "check", "exists"}},
		"joined, lower case":     {params: []string{"instruction", "RUN", "check", "like", "value", ".*update && apt-get install"}, want: []string{"Dockerfile directive RUN satisfies check like with value '.*update && apt-get install': line: apt-get update && apt-get install -y openssh-server"}},
		"guessed":                {params: from("=", "debian:12"), image: guessed, want: []string{"Dockerfile directive FROM satisfies check = with value 'debian:12': line: debian:12"}},
		"guessed, but not asked": {params: append(from("=", "debian:12"), "actual_dockerfile_only", "True"), image: guessed},
		"guessed, and may be":    {params: append(from("=", "debian:12"), "actual_dockerfile_only", "false"), image: guessed, want: []string{"Dockerfile directive FROM satisfies check = with value 'debian:12': line: debian:12"}},
		"actual, asked":          {params: append(from("=", "debian:12"), "actual_dockerfile_only", "true"), want: []string{"Dockerfile directive FROM satisfies check = with value 'debian:12': line: debian:12"}},
		"no mode":                {params: []string{"instruction", "USER", "check", "not_exists"}, image: &Image{Dockerfile: "FROM x"}},
		"empty":                  {params: []string{"instruction", "USER", "check", "not_exists"}, image: &Image{Mode: "Actual", Dockerfile: " \n"}},
	})
}

// Every directive that may be asked for is found by its name and no other.
func tryDockerfileDirectives(t *testing.T, run runner) {
	names := strings.Fields("ADD ARG COPY CMD ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD USER RUN SHELL STOPSIGNAL VOLUME WORKDIR")
	img, cases := &Image{Mode: "Actual"}, map[string]check{}
	for _, name := range names {
		img.Dockerfile += name + " what " + strings.ToLower(name) + " takes\n"
	}
	for _, name := range names {
		cases[name] = check{params: []string{"instruction", name, "check", "exists"},
			want: []string{fmt.Sprintf("Dockerfile directive %s satisfies check exists: line: what %s takes", name, strings.ToLower(name))}}
	}
	run(t, "dockerfile", "instruction", img, cases)
}

// Exceptions exported by earlier versions name this hash, so neither it nor the
// message may change.
func TestHashedTriggerID(t *testing.T) {
	b := parse(t, doc(t, []map[string]any{rule("r1", "WARN", "Dockerfile", "Instruction", "instruction", "HEALTHCHECK", "check", "not_exists")}))
	v := evaluate(t, b, &Image{Mode: "Guessed", Dockerfile: "FROM scratch"})
	if want := "3a5babe19f6c7cec781d8788d49f9693"; len(v.Rows) != 1 || v.Rows[0].TriggerID != want {
		t.Errorf("got %+v, want trigger id %s", v.Rows, want)
	}
}

func tryDockerfileUser(t *testing.T, run runner) {
	img := &Image{Mode: "Guessed", Dockerfile: exampleDockerfile}
	root := &Image{Mode: "Actual", Dockerfile: "FROM x"}
	run(t, "dockerfile", "effective_user", img, map[string]check{
		"unwanted":           {params: []string{"users", "root, web", "type", "blacklist"}, want: []string{"The image runs as user 'web', which is among the unwanted ones"}},
		"not unwanted":       {params: []string{"users", "root,app", "type", "blacklist"}},
		"wanted":             {params: []string{"users", "web", "type", "whitelist"}},
		"not wanted":         {params: []string{"users", "app", "type", "whitelist"}, want: []string{"The image runs as user 'web', which is not among the wanted ones"}},
		"root by default":    {params: []string{"users", "root", "type", "blacklist"}, image: root, want: []string{"The image runs as user 'root', which is among the unwanted ones"}},
		"nothing to look at": {params: []string{"users", "root", "type", "blacklist"}, image: &Image{Dockerfile: "FROM x"}},
	})
}

func tryDockerfilePorts(t *testing.T, run runner) {
	img := &Image{Mode: "Guessed", Dockerfile: exampleDockerfile}
	run(t, "dockerfile", "exposed_ports", img, map[string]check{
		"unwanted, each port and line": {params: []string{"ports", "22,53, 8080", "type", "blacklist"}, want: []string{
			"Dockerfile exposes unwanted port 22: line: 22 8080/tcp",
			"Dockerfile exposes unwanted port 8080: line: 22 8080/tcp",
			"Dockerfile exposes unwanted port 53: line: 53/udp",
		}},
		"not unwanted": {params: []string{"ports", "2,80", "type", "blacklist"}},
		"wanted":       {params: []string{"ports", "22,8080,53", "type", "whitelist"}},
		"not wanted": {params: []string{"ports", "22", "type", "whitelist"}, want: []string{
			"Dockerfile exposes port 8080/tcp, which is not among the wanted ones: line: 22 8080/tcp",
			"Dockerfile exposes port 53/udp, which is not among the wanted ones: line: 53/udp",
		}},
		"port 0 means nothing": {params: []string{"ports", "0", "type", "blacklist"}},
		"guessed":              {params: []string{"ports", "22", "type", "blacklist", "actual_dockerfile_only", "true"}},
		"guessed, and may be":  {params: []string{"ports", "22", "type", "blacklist", "actual_dockerfile_only", "false"}, want: []string{"Dockerfile exposes unwanted port 22: line: 22 8080/tcp"}},
		"no mode":              {params: []string{"ports", "22", "type", "blacklist"}, image: &Image{Dockerfile: exampleDockerfile}},
	})
}

func tryDockerfileProvided(t *testing.T, run runner) {
	want := []string{"The image was added without its dockerfile"}
	run(t, "dockerfile", "no_dockerfile_provided", &Image{Mode: "Actual"}, map[string]check{
		"given":   {},
		"guessed": {image: &Image{Mode: "Guessed", Dockerfile: "FROM scratch"}, want: want},
		"unknown": {image: &Image{}, want: want},
	})
}

func TestReadDockerfile(t *testing.T) {
	tests := map[string]struct {
		in   string
		want map[string][]string
	}{
		"empty":                        {"", map[string][]string{}},
		"no argument":                  {"FROM", map[string][]string{"FROM": {""}}},
		"tabs":                         {"\tFROM\tx  ", map[string][]string{"FROM": {"x"}}},
		"comment between joined lines": {"RUN a \\\n# why\nb", map[string][]string{"RUN": {"a b"}}},
		"nothing is put between":       {"RUN a\\\nb", map[string][]string{"RUN": {"ab"}}},
		"open at the end":              {"RUN a \\", map[string][]string{"RUN": {"a"}}},
		"windows line ends":            {"FROM x\r\nUSER y\r\n", map[string][]string{"FROM": {"x"}, "USER": {"y"}}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := readDockerfile(tc.in).byName; !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func FuzzReadDockerfile(f *testing.F) {
	for _, s := range []string{exampleDockerfile, "RUN \\", "\\\n\\\n", "#", "\x00 x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n := 0
		for name, lines := range readDockerfile(text).byName {
			if name == "" {
				t.Error("a directive without a name")
			}
			for _, line := range lines {
				n += len(line)
			}
		}
		if n > len(text) {
			t.Errorf("%d bytes became %d", len(text), n)
		}
	})
}
