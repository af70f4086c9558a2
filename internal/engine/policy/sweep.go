package policy

import "math"

// A sweep finds the paths that contain each of a list of texts, all texts in
// one go over all paths. Two things make it cheap:
//
// The paths are in order, so most of a path is the beginning of the one before
// and has been looked at there. Only the rest of each is swept, from a little
// before the difference (overlap), and what was found in the shared beginning
// is passed on.
//
// Of each text, only a piece is looked for, about the pair of bytes that is
// rarest in these paths. So the loop asks of each pair whether any piece has
// it, which is one look into a table; the answer is nearly always no.
//
// What it finds contains a piece of the text, which is all that the expressions
// tried afterwards need.

const (
	pieceSize = 8
	overlap   = pieceSize - 1
)

// piece is what is looked for of a text.
type piece struct {
	text  string // the whole
	piece string
	at    int // of the pair within the piece
	found []int32
	last  int32 // in found; -1: none
}

// sweep finds the paths, by their place in the order, that may contain each of
// the texts. Texts shorter than two bytes are not looked for.
func (v *fileView) sweep() map[string][]int32 {
	tails, starts := v.tails, v.starts
	pairs := v.pieces()
	if len(pairs) == 0 {
		return map[string][]int32{}
	}
	var mark [math.MaxUint16 + 1]bool
	for pair := range pairs {
		mark[pair] = true
	}
	entry := 0
	pair := uint16(0)
	for i := range len(tails) {
		pair = pair<<8 | uint16(tails[i])
		if !mark[pair] {
			continue
		}
		for int(starts[entry+1]) <= i {
			entry++
		}
		for _, p := range pairs[pair] {
			from := i - 1 - p.at
			to := from + len(p.piece)
			if p.last >= int32(entry) || from < int(starts[entry]) || to > int(starts[entry+1]) || string(tails[from:to]) != p.piece {
				continue
			}
			// The end of the piece within the path: every following path that
			// shares so much with the one before has it too.
			end := int32(to) - starts[entry] + max(0, v.shared[entry]-overlap)
			p.last = int32(entry)
			p.found = append(p.found, p.last)
			for int(p.last)+1 < len(v.shared) && v.shared[p.last+1] >= end {
				p.last++
				p.found = append(p.found, p.last)
			}
		}
	}
	found := map[string][]int32{}
	for _, list := range pairs {
		for _, p := range list {
			found[p.text] = p.found
		}
	}
	return found
}

// pieces chooses what to look for of each text, by the pair that is rarest in a
// sample.
func (v *fileView) pieces() map[uint16][]*piece {
	var seen [math.MaxUint16 + 1]uint16
	const sample = 64 << 10
	step := max(1, len(v.tails)/sample)
	for i := 0; i+1 < len(v.tails); i += step {
		if n := &seen[uint16(v.tails[i])<<8|uint16(v.tails[i+1])]; *n < math.MaxUint16 {
			*n++
		}
	}
	pairs, known := map[uint16][]*piece{}, map[string]bool{}
	for _, text := range v.texts {
		if known[text] || len(text) < 2 {
			continue
		}
		known[text] = true
		best, pair := 0, uint16(0)
		for i := 0; i+1 < len(text); i++ {
			p := uint16(text[i])<<8 | uint16(text[i+1])
			if i == 0 || seen[p] < seen[pair] {
				best, pair = i, p
			}
		}
		from := max(0, min(best-pieceSize/2+1, len(text)-pieceSize))
		pairs[pair] = append(pairs[pair], &piece{text: text, piece: text[from:min(len(text), from+pieceSize)], at: best - from, last: -1})
	}
	return pairs
}
