package catalog

// wild reports whether text matches a pattern in which * stands for any text,
// slashes included, and every other character for itself.
func wild(pattern, text string) bool { return glob(pattern, text, false) }

// glob reports whether text matches a file-name pattern: * is any text, slashes
// included, and with full also ? any one character and [...] one of a set. An
// empty pattern matches nothing. It takes time in proportion to the product of
// the lengths, whatever the pattern: it goes back to the last * only.
func glob(pattern, text string, full bool) bool {
	if pattern == "" {
		return false
	}
	p, t := 0, 0
	star, mark := -1, 0
	for t < len(text) {
		if p < len(pattern) && pattern[p] == '*' {
			star, mark = p, t
			p++
			continue
		}
		if n, ok := one(pattern[p:], text[t], full); ok {
			p += n
			t++
			continue
		}
		if star < 0 {
			return false
		}
		mark++
		p, t = star+1, mark
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// one matches a single character and says how much of the pattern that took.
func one(pattern string, c byte, full bool) (int, bool) {
	switch {
	case pattern == "":
		return 0, false
	case full && pattern[0] == '?':
		return 1, true
	case full && pattern[0] == '[':
		if n, in := set(pattern, c); n > 0 {
			return n, in
		}
	}
	return 1, pattern[0] == c
}

// set reads [abc], [a-z] or [!a-z]; 0 when it has no end, for then the bracket
// stands for itself. A bracket right at the beginning belongs to the set.
func set(pattern string, c byte) (n int, in bool) {
	i := 1
	not := i < len(pattern) && pattern[i] == '!'
	if not {
		i++
	}
	for first := true; i < len(pattern) && (first || pattern[i] != ']'); first = false {
		low, high := pattern[i], pattern[i]
		if i+2 < len(pattern) && pattern[i+1] == '-' && pattern[i+2] != ']' {
			high = pattern[i+2]
			i += 2
		}
		in = in || low <= c && c <= high
		i++
	}
	if i >= len(pattern) {
		return 0, false
	}
	return i + 1, in != not
}
