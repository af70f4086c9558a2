// Package pattern matches the regular expressions that people write in policy
// bundles and analyzer settings. Their language is Python's: most of it is
// Go's too, and those expressions run in linear time; what Go lacks
// (lookarounds, back references, atomic groups) runs in a backtracking engine.
//
// All of it is bounded, since expressions and texts are both foreign: the
// length of an expression, the size of what it compiles to, and, through a
// Budget, the time that all matches of one job may take together.
//
// Known differences from Python: \d, \w and \s know ASCII only, and $ does not
// match before a final newline.
package pattern

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"time"

	"github.com/dlclark/regexp2/v2"
)

const (
	maxLength  = 8 << 10 // bytes of an expression
	maxProgram = 20_000  // instructions of a compiled one: Go's own limit is some millions

	// maxStack bounds the memory of one backtracking match.
	maxStack = 1 << 20

	// matchTimeout bounds one backtracking match, which a Budget cannot stop
	// once it runs. Honest ones take microseconds.
	matchTimeout = 250 * time.Millisecond
)

// ErrBudget says that matching took more time than it was given.
var ErrBudget = errors.New("regular expressions take too long")

// Regexp is a compiled expression, for use by many goroutines.
type Regexp struct {
	text   string
	linear *regexp.Regexp  // nil: it needs what Go's package does not know
	back   *regexp2.Regexp // then this
	need   string          // a text that everything it matches contains
	prefix bool            // and begins with
	needs  []string        // folded
}

// Compile reads an expression of Python's syntax.
func Compile(expr string) (*Regexp, error) {
	if len(expr) > maxLength {
		return nil, fmt.Errorf("regular expression of %d bytes: at most %d are read", len(expr), maxLength)
	}
	r := &Regexp{text: expr}
	text := translate(expr)
	r.needs = needsOf(text)
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		if r.back, err = compileBack(text); err != nil {
			return nil, fmt.Errorf("regular expression %q: %w", expr, err)
		}
		return r, nil
	}
	tree = tree.Simplify()
	prog, err := syntax.Compile(tree)
	if err != nil {
		return nil, fmt.Errorf("regular expression %q: %w", expr, err)
	}
	if len(prog.Inst) > maxProgram {
		return nil, fmt.Errorf("regular expression %q is too large when its repetitions are written out", expr)
	}
	r.need, r.prefix = required(tree)
	// The group keeps alternatives together under the anchor.
	if r.linear, err = regexp.Compile(`\A(?:` + text + `)`); err != nil {
		return nil, fmt.Errorf("regular expression %q: %w", expr, err)
	}
	return r, nil
}

func compileBack(expr string) (re *regexp2.Regexp, err error) {
	// The engine is not ours and the expression is foreign: what it cannot
	// stand is a bad expression, not the end of the process.
	defer func() {
		if p := recover(); p != nil {
			re, err = nil, fmt.Errorf("not understood: %v", p)
		}
	}()
	if re, err = regexp2.Compile(`\A(?:`+expr+`)`, regexp2.OptionMaxBacktrackingStackSize(maxStack)); err != nil {
		return nil, err
	}
	re.MatchTimeout = matchTimeout
	return re, nil
}

// String is the expression as written.
func (r *Regexp) String() string { return r.text }

// Literal is a text that every match contains, or "". When prefix is true a
// match begins with it. Callers with many texts look for it first.
func (r *Regexp) Literal() (text string, prefix bool) { return r.need, r.prefix }

// MatchStart reports whether s, from its start, matches; what follows the match
// does not matter. The time it takes is drawn from b.
func (r *Regexp) MatchStart(b *Budget, s string) (bool, error) {
	if r.need != "" {
		if r.prefix && !strings.HasPrefix(s, r.need) || !r.prefix && !strings.Contains(s, r.need) {
			return false, nil
		}
	}
	if r.linear != nil {
		if err := b.spend(len(s)); err != nil {
			return false, err
		}
		return r.linear.MatchString(s), nil
	}
	if err := b.spend(budgetStep); err != nil {
		return false, err
	}
	ok, err := r.back.MatchString(s)
	if err != nil {
		return false, fmt.Errorf("regular expression %q: %w", r.text, ErrBudget)
	}
	return ok, nil
}

// Budget is the time that the matches of one job may take together. A job has
// one; it is not for use by several goroutines.
type Budget struct {
	until  time.Time
	unseen int // bytes matched since the clock was read
}

// budgetStep is how many bytes are matched between two looks at the clock,
// which cost as much as a short match.
const budgetStep = 64 << 10

// NewBudget allows matching for so long from now.
func NewBudget(d time.Duration) *Budget { return &Budget{until: time.Now().Add(d)} }

func (b *Budget) spend(n int) error {
	if b.unseen += n + 64; b.unseen < budgetStep {
		return nil
	}
	b.unseen = 0
	if time.Now().After(b.until) {
		return ErrBudget
	}
	return nil
}
