package present

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// visible makes text of foreign origin fit to be looked at: what would not be
// seen, would turn the direction of what follows, or would steer a terminal
// that it is copied to, stands there as a sign of its own. Tabs and line ends
// stay.
func visible(s string) string {
	if !hides(s) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\t' || r == '\n':
			b.WriteRune(r)
		case r == 0x1b:
			b.WriteString("⟨ESC⟩")
		case r == '\r':
			b.WriteString("⟨CR⟩")
		case r != ' ' && !unicode.IsGraphic(r) || unicode.In(r, unicode.Zl, unicode.Zp):
			fmt.Fprintf(&b, "⟨U+%04X⟩", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func hides(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' && c != '\t' && c != '\n' || c == 0x7f || c >= utf8.RuneSelf {
			return true
		}
	}
	return false
}
