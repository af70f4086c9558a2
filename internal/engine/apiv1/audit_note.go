package apiv1

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"windlass/internal/engine"
)

// The audit log is written here for all operations alike: whatever changes
// something is noted unless it is listed as work rather than administration.
// So an operation that is added later is noted without anybody thinking of it.

// unnoted are the operations that change something and leave no entry, and why.
// They are named one by one: what is added beside them is noted.
var unnoted = map[string]string{
	"addImage":                   "what an account is for, many times a minute; the image and its events stay",
	"importImageArchive":         "likewise",
	"createImport":               "likewise, as are the uploads for it",
	"uploadImportPackages":       "a part of an import",
	"uploadImportManifest":       "a part of an import",
	"uploadImportParentManifest": "a part of an import",
	"uploadImportImageConfig":    "a part of an import",
	"uploadImportDockerfile":     "a part of an import",
	"appendFeedArchive":          "a part of an upload, which is noted when it begins and when it is installed",
	"tryPolicy":                  "a question: nothing is kept of it",
	"tryImage":                   "likewise",
	"getOauthToken":              "a login: it changes nothing",
}

// audited reports whether an operation belongs into the audit log.
func audited(method, operation string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return false
	}
	return unnoted[operation] == ""
}

// What is noted of a request: these keys and no others, so that no secret can
// get in by a body that nobody foresaw.
var (
	subjectKeys = []string{"name", "username", "registry", "subscription_key", "policyId", "id", "repository", "type"}
	bodyKeys    = []string{
		"name", "username", "type", "state", "active", "enabled", "role", "roles", "account", "expires_at",
		"registry", "registry_name", "registry_type", "registry_user", "registry_verify",
		"subscription_key", "subscription_type", "policyId", "id", "transition", "system_global",
	}
	queryKeys = []string{
		"force", "enabled", "active", "flush", "validate", "autosubscribe", "dryrun", "dry_run", "level", "since", "before",
		"credential_type", "notification_type", "imageDigests", "imageDigest", "repository",
	}
)

const (
	// maxAudited bounds the body that is looked into, and maxDetail each text
	// that is kept of it.
	maxAudited = 1 << 20
	maxDetail  = 256
	// auditWait bounds the writing of an entry: the client is waiting.
	auditWait = 5 * time.Second
)

// note writes what was done or refused into the audit log. Who failed to log in
// did nothing.
func (s *Server) note(w *response, r *request) {
	if !r.audited || r.Identity.User == "" || s.opts.Audit == nil {
		return
	}
	e := r.entry()
	e.Status = w.code()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), auditWait)
	defer cancel()
	if err := s.opts.Audit(ctx, e); err != nil {
		s.log.ErrorContext(ctx, "audit entry lost", "request", r.ID, "user", e.User, "action", e.Action, "subject", e.Subject, "status", e.Status, "err", err)
	}
}

// entry is what a request says of itself.
func (r *request) entry() engine.AuditEntry {
	e := engine.AuditEntry{
		User: r.Identity.User, UserAccount: r.Identity.Account, Token: r.Identity.Token(),
		Peer: peerHost(r.RemoteAddr), Account: clip(r.Account, maxDetail), Action: r.operation, RequestID: r.ID,
	}
	var names []string
	for _, seg := range segments(r.path) {
		name, ok := strings.CutPrefix(seg, "{")
		if !ok {
			continue
		}
		name = strings.TrimSuffix(name, "}")
		if name == "accountname" {
			e.Account = clip(r.param(name), maxDetail)
			continue
		}
		names = append(names, r.param(name))
	}
	e.Subject = clip(strings.Join(names, "/"), maxDetail)
	e.Details = r.details()
	for _, k := range append(subjectKeys, "imageDigests") {
		if text, ok := e.Details[k].(string); ok && e.Subject == "" {
			e.Subject = text
		}
	}
	if e.Subject == "" && e.Account != r.Account || e.Subject == "" && r.param("accountname") != "" {
		e.Subject = e.Account
	}
	return e
}

// details are those parts of the query and the body that are known to be fit
// to be kept.
func (r *request) details() map[string]any {
	d := map[string]any{}
	for _, k := range queryKeys {
		if r.query.Has(k) {
			d[k] = clip(r.query.Get(k), maxDetail)
		}
	}
	if len(r.held) > maxAudited {
		return d
	}
	var body map[string]json.RawMessage
	if json.Unmarshal(r.held, &body) != nil { // no object: nothing in it has a name
		if v, ok := plain(bytes.TrimSpace(r.held)); ok && r.operation == "archiveImages" {
			d["imageDigests"] = v
		}
		return d
	}
	for _, k := range bodyKeys {
		if v, ok := plain(body[k]); ok {
			d[k] = v
		}
	}
	return d
}

// plain is a JSON value that is a text, a truth or a list of texts.
func plain(raw json.RawMessage) (any, bool) {
	var text string
	var truth bool
	var list []string
	switch {
	case len(raw) == 0 || raw[0] == 'n':
		return nil, false
	case json.Unmarshal(raw, &text) == nil:
		return clip(text, maxDetail), true
	case json.Unmarshal(raw, &truth) == nil:
		return truth, true
	case json.Unmarshal(raw, &list) == nil:
		list = slices.Clone(list[:min(len(list), 20)])
		for i := range list {
			list[i] = clip(list[i], maxDetail)
		}
		return list, true
	}
	return nil, false
}
