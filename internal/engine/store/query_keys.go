package store

import (
	"crypto/sha256"
	"sync"
	"time"
)

// hitKeys are the images of an answer, those of one image id together. They
// are not altered once made.
type hitKeys struct {
	pks    []int64
	starts []int32 // in pks, of each image id
}

func (k *hitKeys) total() int { return len(k.starts) }

// group are the images of the nth image id.
func (k *hitKeys) group(n int) []int64 {
	if n+1 < len(k.starts) {
		return k.pks[k.starts[n]:k.starts[n+1]]
	}
	return k.pks[k.starts[n]:]
}

// grouping collects images in the order of their digests, by image id.
type grouping struct {
	pks    []int64
	of     []int32 // group of each
	groups map[[16]byte]int32
}

func (g *grouping) add(pk int64, id string) {
	if n := len(g.pks); n > 0 && g.pks[n-1] == pk {
		return // selected twice
	}
	if g.groups == nil {
		g.groups = map[[16]byte]int32{}
	}
	sum := sha256.Sum256([]byte(id)) // a quarter of the memory that the texts take
	key := [16]byte(sum[:16])
	n, known := g.groups[key]
	if !known {
		n = int32(len(g.groups))
		g.groups[key] = n
	}
	g.pks, g.of = append(g.pks, pk), append(g.of, n)
}

// keys puts those of a group together, groups by their first image.
func (g *grouping) keys() *hitKeys {
	k := &hitKeys{pks: make([]int64, len(g.pks)), starts: make([]int32, len(g.groups))}
	next := make([]int32, len(g.groups)+1)
	for _, n := range g.of {
		next[n+1]++
	}
	for n := range k.starts {
		next[n+1] += next[n]
		k.starts[n] = next[n]
	}
	for i, n := range g.of {
		k.pks[next[n]] = g.pks[i]
		next[n]++
	}
	return k
}

// How long the keys of an answer are kept for its further pages, and how many
// images all kept answers may have.
const (
	answerLife   = time.Minute
	answerImages = 1 << 20
)

// answers keeps the keys of answers that have more pages.
type answers struct {
	mu     sync.Mutex
	kept   map[string]answer
	images int
}

type answer struct {
	keys *hitKeys
	till time.Time
}

func (a *answers) find(name string, now time.Time) *hitKeys {
	a.mu.Lock()
	defer a.mu.Unlock()
	if k := a.kept[name]; k.keys != nil && now.Before(k.till) {
		return k.keys
	}
	return nil
}

func (a *answers) keep(name string, k *hitKeys, now time.Time) {
	if len(k.pks) > answerImages {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.kept == nil {
		a.kept = map[string]answer{}
	}
	a.drop(name)
	for old, v := range a.kept {
		if !now.Before(v.till) || a.images+len(k.pks) > answerImages {
			a.drop(old)
		}
	}
	a.kept[name] = answer{keys: k, till: now.Add(answerLife)}
	a.images += len(k.pks)
}

func (a *answers) drop(name string) {
	if v, ok := a.kept[name]; ok {
		a.images -= len(v.keys.pks)
		delete(a.kept, name)
	}
}
