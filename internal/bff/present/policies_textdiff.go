package present

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/sergi/go-diff/diffmatchpatch"

	"windlass/web/templates/view"
)

// Bounds of a text's difference: how long it is looked for (what is found after
// that is right, and longer than need be), and how much of it a page shows.
const (
	diffTime    = time.Second
	diffContext = 3
	maxDiff     = 4000
)

// TextDiff is the difference of two texts line by line, with a few lines around
// each change.
func TextDiff(old, now string) (hunks []view.PolicyHunk, added, removed int, cut bool) {
	lines := lineDiff(old, now)
	keep := make([]bool, len(lines))
	for i, l := range lines {
		switch l.Kind {
		case "add":
			added++
		case "del":
			removed++
		default:
			continue
		}
		for n := max(0, i-diffContext); n <= min(len(lines)-1, i+diffContext); n++ {
			keep[n] = true
		}
	}
	shown := 0
	for i := 0; i < len(lines); i++ {
		if !keep[i] {
			continue
		}
		var h view.PolicyHunk
		first := lines[i]
		for ; i < len(lines) && keep[i]; i++ {
			if shown++; shown > maxDiff {
				cut = true
				break
			}
			h.Lines = append(h.Lines, lines[i])
		}
		h.Title = "Line " + nameOr(first.Right, first.Left)
		hunks = append(hunks, h)
		if cut {
			break
		}
	}
	return hunks, added, removed, cut
}

// lineDiff compares line by line: each distinct line is made a letter, which is
// what the library is quick with.
func lineDiff(old, now string) []view.PolicyDiffLine {
	letters := map[string]rune{}
	var texts []string
	encode := func(text string) []rune {
		var out []rune
		for line := range strings.Lines(text) {
			line = strings.TrimRight(line, "\r\n")
			r, ok := letters[line]
			if !ok {
				r = letter(len(texts))
				letters[line] = r
				texts = append(texts, line)
			}
			out = append(out, r)
		}
		return out
	}
	a, b := encode(old), encode(now)
	d := diffmatchpatch.New()
	d.DiffTimeout = diffTime
	var lines []view.PolicyDiffLine
	left, right := 0, 0
	for _, part := range d.DiffMainRunes(a, b, false) {
		for _, r := range part.Text {
			l := view.PolicyDiffLine{Text: texts[index(r)]}
			if part.Type != diffmatchpatch.DiffInsert {
				left++
				l.Left = strconv.Itoa(left)
			}
			if part.Type != diffmatchpatch.DiffDelete {
				right++
				l.Right = strconv.Itoa(right)
			}
			switch part.Type {
			case diffmatchpatch.DiffInsert:
				l.Kind, l.Mark = "add", "+"
			case diffmatchpatch.DiffDelete:
				l.Kind, l.Mark = "del", "-"
			}
			lines = append(lines, l)
		}
	}
	return lines
}

// The surrogates are no letters.
const surrogates, surrogatesEnd = 0xD800, 0xE000

func letter(i int) rune {
	if i++; i >= surrogates {
		i += surrogatesEnd - surrogates
	}
	return rune(i)
}

func index(r rune) int {
	if r >= surrogatesEnd {
		r -= surrogatesEnd - surrogates
	}
	return int(r) - 1
}

// maxDiffLines keeps lineDiff within the letters there are.
const maxDiffLines = 500_000

// PolicyDiff compares two documents, as text and by their parts.
func PolicyDiff(v *view.PolicyDiff, old, now []byte) {
	a, b := PolicyText(old), PolicyText(now)
	if strings.Count(a, "\n")+strings.Count(b, "\n") > maxDiffLines {
		v.Fault = fmt.Sprintf("The texts have more than %s lines and are not compared.", Count(maxDiffLines))
		return
	}
	v.Same = a == b
	var cut bool
	v.Hunks, v.Added, v.Removed, cut = TextDiff(a, b)
	if cut {
		v.Cut = "The first " + Count(maxDiff) + " lines are shown."
	}
	x, errX := ReadPolicy(old)
	y, errY := ReadPolicy(now)
	if errX != nil || errY != nil {
		v.Fault = "One of the texts is no bundle: they are compared as text alone."
		return
	}
	v.Groups = PolicyStructure(x, y)
}
