package logs

import (
	"cmp"
	"slices"

	"windlass/internal/engine"
)

// surroundings gives the lines that stand beside a match in the same log, in
// either direction of reading.
type surroundings struct {
	n    int        // lines on each side
	held []numbered // the last n lines that were not given out
	owed int        // lines that are still to be given out behind a match
}

// numbered is a line with its place among all that were read: a line that is
// given out for the sake of a later one belongs before others.
type numbered struct {
	n    int
	line engine.LogLine
}

// take appends to found what the next line of the log brings: itself, when it
// matches or stands behind one that does, and those before it. line makes it,
// only when it is needed.
func (s *surroundings) take(found []numbered, n int, match bool, line func() engine.LogLine) []numbered {
	switch {
	case match:
		found = append(found, s.held...)
		s.held, s.owed = s.held[:0], s.n
		return append(found, numbered{n, line()})
	case s.n == 0:
		return found
	}
	beside := numbered{n, line()}
	beside.line.Context = true
	if s.owed > 0 {
		s.owed--
		return append(found, beside)
	}
	if len(s.held) == s.n {
		s.held = slices.Delete(s.held, 0, 1)
	}
	s.held = append(s.held, beside)
	return found
}

// forget is for lines that were passed over: what stands beyond them is beside
// nothing.
func (s *surroundings) forget() { s.held, s.owed = nil, 0 }

// inOrder gives lines as they were read.
func inOrder(found []numbered) []engine.LogLine {
	slices.SortStableFunc(found, func(a, b numbered) int { return cmp.Compare(a.n, b.n) })
	lines := make([]engine.LogLine, len(found))
	for i, f := range found {
		lines[i] = f.line
	}
	return lines
}
