package python

import (
	"strings"
	"unicode"
)

// Wrap breaks text into lines of at most width characters, between words and
// after the hyphens of compound words; a longer word is cut.
func Wrap(text string, width int) []string {
	chunks := split(plainBlanks(text))
	var lines []string
	for len(chunks) > 0 {
		if blank(chunks[0]) && len(lines) > 0 {
			chunks = chunks[1:]
			continue
		}
		var current [][]rune
		used := 0
		for len(chunks) > 0 && used+len(chunks[0]) <= width {
			current = append(current, chunks[0])
			used += len(chunks[0])
			chunks = chunks[1:]
		}
		if len(chunks) > 0 && len(chunks[0]) > width {
			room := max(width-used, 1)
			cut := hyphenWithin(chunks[0], room)
			current = append(current, chunks[0][:cut])
			chunks[0] = chunks[0][cut:]
		}
		if n := len(current); n > 0 && blank(current[n-1]) {
			current = current[:n-1]
		}
		if len(current) > 0 {
			var line strings.Builder
			for _, c := range current {
				line.WriteString(string(c))
			}
			lines = append(lines, line.String())
		}
	}
	return lines
}

// hyphenWithin is where to cut a word that is longer than a line: after the
// last hyphen that fits, if there is more than hyphens before it.
func hyphenWithin(word []rune, room int) int {
	for i := min(room, len(word)) - 1; i > 0; i-- {
		if word[i] != '-' {
			continue
		}
		if strings.Trim(string(word[:i]), "-") != "" {
			return i + 1
		}
		break
	}
	return room
}

// plainBlanks makes a blank of each white space, tabs reaching to columns of
// eight.
func plainBlanks(s string) []rune {
	var out []rune
	column := 0
	for _, r := range s {
		switch r {
		case '\t':
			for ok := true; ok; ok = column%8 != 0 {
				out = append(out, ' ')
				column++
			}
		case '\n', '\r':
			out = append(out, ' ')
			column = 0
		case '\v', '\f':
			out = append(out, ' ')
			column++
		default:
			out = append(out, r)
			column++
		}
	}
	return out
}

func blank(chunk []rune) bool { return strings.TrimSpace(string(chunk)) == "" }

// split cuts text into runs of blanks and pieces of words that may not be
// broken: whole words, parts of compounds with their hyphen, dashes.
func split(text []rune) [][]rune {
	var chunks [][]rune
	for start := 0; start < len(text); {
		end := start + 1
		switch {
		case text[start] == ' ':
			for end < len(text) && text[end] == ' ' {
				end++
			}
		case dash(text, start):
			for end < len(text) && text[end] == '-' {
				end++
			}
		default:
			for end < len(text) && text[end] != ' ' && !dash(text, end) && !hyphenated(text, start, end) {
				end++
			}
		}
		chunks = append(chunks, text[start:end])
		start = end
	}
	return chunks
}

// dash: two or more hyphens between words.
func dash(text []rune, at int) bool {
	if at == 0 || !inWord(text[at-1]) || text[at] != '-' {
		return false
	}
	end := at
	for end < len(text) && text[end] == '-' {
		end++
	}
	return end-at >= 2 && end < len(text) && alnum(text[end])
}

// hyphenated: the piece that ends before at ends with the hyphen of a
// compound, with two letters or a letter and a hyphenated letter on both sides.
func hyphenated(text []rune, start, at int) bool {
	l := func(i int) bool { return i >= 0 && i < len(text) && letter(text[i]) }
	if at-1 < start || text[at-1] != '-' {
		return false
	}
	before := l(at-2) && l(at-3) || at-4 >= 0 && l(at-4) && text[at-3] == '-' && inWord(text[at-2])
	after := l(at) && (l(at+1) || at+1 < len(text) && text[at+1] == '-' && l(at+2))
	return before && after
}

func alnum(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) || r == '_' }

// letter is a character of words that is no digit.
func letter(r rune) bool { return alnum(r) && !unicode.IsDigit(r) }

func inWord(r rune) bool { return alnum(r) || strings.ContainsRune("!\"'&.,?", r) }
