package logs

import (
	"regexp"
	"strings"
)

const redacted = "[redacted]"

// secretKey reports whether an attribute is a credential by its name. Those
// that travel as engine.Secret redact themselves; this is for the rest.
func secretKey(key string) bool {
	k := strings.ToLower(key)
	for _, word := range []string{"password", "passwd", "secret", "token", "authorization", "cookie", "api_key", "apikey"} {
		if strings.HasSuffix(k, word) {
			return true
		}
	}
	return false
}

var (
	urlUser = regexp.MustCompile(`(://[^/\s:@"']*:)[^/\s"']*@`)
	member  = regexp.MustCompile(`(?i)("[a-z_-]*(?:password|passwd|secret|token)"\s*:\s*")(?:[^"\\]|\\.)+`)
	header  = regexp.MustCompile(`(?i)\b((?:basic|bearer)\s+)[a-z0-9+/_.~=-]{8,}`)
)

// scrub takes credentials out of text that came from elsewhere: addresses with
// a password, JSON members of a telling name, and authorization headers, as
// errors of HTTP clients and database drivers quote them.
func scrub(s string) string {
	if strings.Contains(s, "://") && strings.Contains(s, "@") {
		s = urlUser.ReplaceAllString(s, "${1}"+redacted+"@")
	}
	if strings.Contains(s, `":"`) || strings.Contains(s, `": "`) {
		s = member.ReplaceAllString(s, "${1}"+redacted)
	}
	if mentionsHeader(s) {
		s = header.ReplaceAllString(s, "${1}"+redacted)
	}
	return s
}

func mentionsHeader(s string) bool {
	for _, w := range []string{"asic ", "ASIC ", "earer ", "EARER "} {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}
