package templates

import (
	"context"
	"io"
	"strings"

	"github.com/a-h/templ"
)

// longestPiece is how many letters of a name stand on one line where there is
// no better place to break it.
const longestPiece = 32

// Breaks is the name of an image, a repository or an address that goes on in
// the next line behind a slash or a colon. Without it a narrow column breaks
// such a name at any letter, since it is one word.
func Breaks(name string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		var b strings.Builder
		b.WriteString(`<code class="breaks">`)
		for n, p := range pieces(name) {
			if n > 0 {
				b.WriteString("<wbr>")
			}
			b.WriteString(templ.EscapeString(p))
		}
		b.WriteString("</code>")
		_, err := io.WriteString(w, b.String())
		return err
	})
}

// pieces cuts a name where it may be broken.
func pieces(name string) []string {
	var list []string
	var piece []rune
	letters := []rune(name)
	for n, r := range letters {
		piece = append(piece, r)
		between := (r == '/' || r == ':' || r == '@') && n+1 < len(letters) && letters[n+1] != '/'
		if r == ':' && n+1 < len(letters) && letters[n+1] >= '0' && letters[n+1] <= '9' && !strings.Contains(string(letters[:n]), "/") {
			between = false // a port stays with its host
		}
		if strings.HasSuffix(string(piece), "://") {
			between = false // nor does a scheme stand alone
		}
		switch {
		case between:
			list, piece = append(list, string(piece)), nil
		case len(piece) == longestPiece && n+1 < len(letters):
			cut := strings.LastIndexAny(string(piece), ".-_") + 1
			if cut < longestPiece/2 {
				cut = len(string(piece))
			}
			list, piece = append(list, string(piece)[:cut]), []rune(string(piece)[cut:])
		}
	}
	if len(piece) > 0 {
		list = append(list, string(piece))
	}
	return list
}
