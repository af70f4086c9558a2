package notify

import (
	"net/url"

	"windlass/internal/engine"
)

// Section finds the section of the settings that a test names. As in v1 it is
// the caller's fault when there are no settings or the section is empty, and
// the server's when there is no such section.
func Section(hooks []engine.Webhook, name string) (engine.Webhook, error) {
	if len(hooks) == 0 {
		return engine.Webhook{}, engine.Invalidf("Webhooks Configuration not found")
	}
	for _, w := range hooks {
		switch {
		case w.Type != name:
		case w.Empty:
			return w, engine.Invalidf("Webhook Configuration for type %s is empty", name)
		default:
			return w, nil
		}
	}
	return engine.Webhook{}, &engine.Fault{Kind: engine.ErrUnavailable, Message: "Webhooks Configuration has no webhook of this type"}
}

// Keep gives a changed webhook that came without a password the stored one, as
// long as it is the same user's at the same host: a password must not be sent
// where its owner never meant it to go.
func Keep(w, old engine.Webhook) engine.Webhook {
	if w.Password == "" && w.User != "" && w.User == old.User && origin(w.URL) == origin(old.URL) && (w.Verify || !old.Verify) {
		w.Password = old.Password
	}
	return w
}

// origin is the scheme, host and port of an address.
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Scheme + "://" + u.Host
}
