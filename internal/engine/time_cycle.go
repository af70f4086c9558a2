package engine

import "time"

// Cycle is the period of a watcher as v1 reads its settings: 0 switches it off,
// a negative period counts without its sign and is taken as it is, and any
// other is brought within the bounds.
func Cycle(set, lowest, highest time.Duration) time.Duration {
	switch {
	case set == 0:
		return 0
	case set < 0:
		return -set
	}
	return min(max(set, lowest), highest)
}
