package notify

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"windlass/internal/engine"
)

// maxSettings bounds the file of webhook settings.
const maxSettings = 1 << 20

// maxRetry bounds the time to give up: longer than a notification is kept makes
// no sense.
const maxRetry = 7 * 24 * time.Hour

// section is one part of the webhooks settings, in the operator's words.
type section struct {
	URL    *string `yaml:"url"`
	User   *string `yaml:"webhook_user"`
	Pass   *string `yaml:"webhook_pass"`
	Verify *bool   `yaml:"ssl_verify"`
	empty  bool    // nothing is given at all
}

// ReadSettings reads a file with the section webhooks of a v1 configuration,
// alone or among others. A file without that section is an error: it is not the
// file that was meant. Errors name the field.
func ReadSettings(r io.Reader) ([]engine.Webhook, time.Duration, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxSettings+1))
	if err != nil {
		return nil, 0, err
	}
	if len(raw) > maxSettings {
		return nil, 0, fmt.Errorf("larger than %d bytes", maxSettings)
	}
	var file struct {
		Webhooks yaml.Node `yaml:"webhooks"`
	}
	if err := yaml.Unmarshal(raw, &file); err != nil {
		return nil, 0, fmt.Errorf("not YAML: %w", err)
	}
	if file.Webhooks.Kind == 0 {
		return nil, 0, errors.New("no section webhooks")
	}
	return readSections(&file.Webhooks)
}

func readSections(n *yaml.Node) ([]engine.Webhook, time.Duration, error) {
	parts := map[string]yaml.Node{}
	if err := n.Decode(&parts); err != nil {
		return nil, 0, errors.New("webhooks: want a mapping")
	}
	var errs []error
	fault := func(name, format string, args ...any) {
		errs = append(errs, fmt.Errorf("webhooks.%s: %s", name, fmt.Sprintf(format, args...)))
	}
	var general section // user, password and verify of sections that have none
	retry := DefaultRetry
	sections := map[string]section{}
	for name, part := range parts {
		var err error
		switch {
		case name == "webhook_user":
			err = part.Decode(&general.User)
		case name == "webhook_pass":
			err = part.Decode(&general.Pass)
		case name == "ssl_verify":
			err = part.Decode(&general.Verify)
		case name == "notification_retry_timeout":
			var seconds int64
			if err = part.Decode(&seconds); err == nil && part.Tag != "!!null" {
				if seconds < 0 || seconds > int64(maxRetry/time.Second) {
					fault(name, "%d is out of range: want seconds, 0 to %d", seconds, int64(maxRetry/time.Second))
				}
				retry = time.Duration(seconds) * time.Second
			}
		case slices.Contains(engine.WebhookTypes, name):
			var s section
			if s, err = readSection(part, name); err == nil {
				sections[name] = s
			}
		default:
			fault(name, "unknown: want %s, webhook_user, webhook_pass, ssl_verify or notification_retry_timeout",
				strings.Join(engine.WebhookTypes, ", "))
		}
		if err != nil {
			errs = append(errs, namedField(name, err))
		}
	}
	var hooks []engine.Webhook
	for _, name := range engine.WebhookTypes {
		s, ok := sections[name]
		if !ok {
			continue
		}
		w := engine.Webhook{
			Type: name, URL: strings.TrimSpace(first(s.URL)), User: first(s.User, general.User),
			Password: engine.Secret(first(s.Pass, general.Pass)), Verify: first(s.Verify, general.Verify), Enabled: true,
			Empty: s.empty,
		}
		if w.URL != "" {
			if err := checkURL(w.URL); err != nil {
				fault(name+".url", "%v", err)
			}
		}
		hooks = append(hooks, w)
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return hooks, max(retry, time.Second), errors.Join(errs...)
}

func readSection(n yaml.Node, name string) (section, error) {
	var s section
	var fields map[string]yaml.Node
	if err := n.Decode(&fields); err != nil {
		return s, errors.New("want a mapping with url, webhook_user, webhook_pass and ssl_verify")
	}
	s.empty = len(fields) == 0
	for key, v := range fields {
		var err error
		switch key {
		case "url":
			err = v.Decode(&s.URL)
		case "webhook_user":
			err = v.Decode(&s.User)
		case "webhook_pass":
			err = v.Decode(&s.Pass)
		case "ssl_verify":
			err = v.Decode(&s.Verify)
		default:
			return s, fieldError{key, errors.New("unknown: want url, webhook_user, webhook_pass or ssl_verify")}
		}
		if err != nil {
			return s, fieldError{key, err}
		}
	}
	return s, nil
}

// fieldError is what is wrong with a field of a section.
type fieldError struct {
	field string
	err   error
}

func (e fieldError) Error() string { return e.field + ": " + e.err.Error() }

// namedField says which field an error is about. What the decoder says is not
// repeated: it quotes values, and one may be a password.
func namedField(name string, err error) error {
	var f fieldError
	if errors.As(err, &f) {
		name, err = name+"."+f.field, f.err
	}
	var wrong *yaml.TypeError
	if errors.As(err, &wrong) {
		err = errors.New("has the wrong type")
	}
	return fmt.Errorf("webhooks.%s: %w", name, err)
}

// first is the first value that is there, or zero.
func first[T any](list ...*T) (v T) {
	for _, p := range list {
		if p != nil {
			return *p
		}
	}
	return v
}

// maxURL bounds the address of a webhook.
const maxURL = 2048

// checkURL says what is wrong with the address of a webhook.
func checkURL(text string) error {
	if len(text) > maxURL {
		return fmt.Errorf("longer than %d characters", maxURL)
	}
	u, err := url.Parse(engine.Webhook{URL: text}.Address("a", "b", func(s string) string { return s }))
	switch {
	case err != nil: // the error quotes the address, and that may hold a token
		return errors.New("is no URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return errors.New("want an http or https address")
	case u.Hostname() == "":
		return errors.New("names no host")
	case u.User != nil:
		return errors.New("holds a user: give user and password by their own fields")
	}
	return nil
}

// General is the setting of one address for all notifications.
func General(address string) (engine.Webhook, error) {
	address = strings.TrimSpace(address)
	return engine.Webhook{Type: engine.NotifyGeneral, URL: address, Enabled: true}, checkURL(address)
}

// Check says what is wrong with a webhook that a person wrote, naming the
// field as the API does.
func Check(w engine.Webhook) error {
	if !slices.Contains(engine.WebhookTypes, w.Type) {
		return engine.Invalidf("type: %.40q is not known: want one of %s", w.Type, strings.Join(engine.WebhookTypes, ", "))
	}
	if w.URL == "" {
		return engine.Invalidf("url: is missing")
	}
	if err := checkURL(w.URL); err != nil {
		return engine.Invalidf("url: %v", err)
	}
	if len(w.User) > 256 || strings.ContainsAny(w.User, ":\x00\r\n") {
		return engine.Invalidf("user: want at most 256 characters without a colon")
	}
	if len(w.Password) > 1024 || strings.ContainsAny(w.Password.Reveal(), "\x00\r\n") {
		return engine.Invalidf("password: want at most 1024 characters on one line")
	}
	return nil
}

// ParseLevels reads which events become notifications: off, all, or levels
// separated by commas. True is what v1 shipped with: errors.
func ParseLevels(text string) ([]string, error) {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "", "off", "false", "no", "0":
		return nil, nil
	case "all":
		return []string{engine.LevelError, engine.LevelInfo}, nil
	case "true", "on", "yes", "1":
		return []string{engine.LevelError}, nil
	}
	var levels []string
	for part := range strings.SplitSeq(text, ",") {
		level := strings.ToLower(strings.TrimSpace(part))
		if level != engine.LevelError && level != engine.LevelInfo {
			return nil, fmt.Errorf("%.40q is not a level: want off, all, or any of error, info", part)
		}
		if !slices.Contains(levels, level) {
			levels = append(levels, level)
		}
	}
	return levels, nil
}
