package compare

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"windlass/internal/engine"
)

// config is what is compared of an image's configuration.
type config struct {
	Author       string `json:"author"`
	OS           string `json:"os"`
	Architecture string `json:"architecture"`
	Variant      string `json:"variant"`
	Config       struct {
		User         string
		ExposedPorts map[string]any
		Env          []string
		Entrypoint   []string
		Cmd          []string
		Volumes      map[string]any
		WorkingDir   string
		Labels       map[string]string
		StopSignal   string
		Healthcheck  *struct{ Test []string }
	} `json:"config"`
	RootFS struct {
		DiffIDs []string `json:"diff_ids"`
	} `json:"rootfs"`
}

// parseConfig reads a configuration; of one that does not parse there is what
// could be read, for an image's author can write anything into it.
func parseConfig(raw []byte) config {
	var c config
	if len(raw) > 0 {
		_ = json.Unmarshal(raw, &c) //nolint:errcheck // see above
	}
	return c
}

// setting is one value of a configuration.
type setting struct{ field, key string }

// fields are in the order in which they are told.
var fields = []string{
	"entrypoint", "command", "user", "working directory", "environment", "port", "volume", "stop signal", "health check", "label", "platform", "author",
}

func (c config) settings() map[setting]string {
	all := map[setting]string{}
	put := func(field, key, value string) {
		if value != "" || key != "" {
			all[setting{field, key}] = value
		}
	}
	put("entrypoint", "", words(c.Config.Entrypoint))
	put("command", "", words(c.Config.Cmd))
	put("user", "", c.Config.User)
	put("working directory", "", c.Config.WorkingDir)
	put("stop signal", "", c.Config.StopSignal)
	put("author", "", c.Author)
	put("platform", "", strings.Trim(strings.Join([]string{c.OS, c.Architecture, c.Variant}, "/"), "/"))
	if h := c.Config.Healthcheck; h != nil {
		put("health check", "", words(h.Test))
	}
	for _, e := range c.Config.Env {
		k, v, _ := strings.Cut(e, "=")
		put("environment", k, v)
	}
	for k, v := range c.Config.Labels {
		put("label", k, v)
	}
	for k := range c.Config.ExposedPorts {
		put("port", k, "")
	}
	for k := range c.Config.Volumes {
		put("volume", k, "")
	}
	return all
}

// words is a command with its parts told apart.
func words(list []string) string {
	quoted := make([]string, len(list))
	for n, w := range list {
		if quoted[n] = w; w == "" || strings.ContainsAny(w, " \t\n\"'\\") {
			quoted[n] = strconv.Quote(w)
		}
	}
	return strings.Join(quoted, " ")
}

func configs(before, after config) ([]engine.ConfigChange, engine.Differences) {
	old, now := before.settings(), after.settings()
	var list []engine.ConfigChange
	var n engine.Differences
	add := func(k setting, d engine.Difference, was, is string) {
		n.Count(d)
		if d != engine.Same {
			list = append(list, engine.ConfigChange{Difference: d, Field: k.field, Key: k.key, Before: was, After: is})
		}
	}
	for k, is := range now {
		was, ok := old[k]
		switch {
		case !ok:
			add(k, engine.Added, "", is)
		case was != is:
			add(k, engine.Changed, was, is)
		default:
			add(k, engine.Same, was, is)
		}
	}
	for k, was := range old {
		if _, ok := now[k]; !ok {
			add(k, engine.Removed, was, "")
		}
	}
	slices.SortFunc(list, func(a, b engine.ConfigChange) int {
		return cmp.Or(cmp.Compare(slices.Index(fields, a.Field), slices.Index(fields, b.Field)), cmp.Compare(a.Key, b.Key))
	})
	return list, n
}
