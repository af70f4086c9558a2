package evaluation

import (
	"cmp"
	"slices"

	"windlass/internal/engine"
)

// maxNamed bounds the rows that a step of the history names.
const maxNamed = 20

// Steps makes the history of an image from its stored evaluations, which come
// newest first: each is told with what it has that the one before by the same
// bundle had not.
type Steps struct {
	List []engine.JudgementStep
	open map[string]openStep // by bundle: the entry whose predecessor is awaited
}

type openStep struct {
	at     int // in List
	bundle string
	rows   map[stepRow]engine.JudgementRow
}

type stepRow struct{ id, gate, trigger, action string }

// Add takes the next older evaluation. With shown, it is an entry of its own;
// without, it only tells what the newer ones changed.
func (s *Steps) Add(e engine.Evaluation, shown bool) {
	r := ResultOf(e)
	rows := make(map[stepRow]engine.JudgementRow, len(r.Rows))
	step := engine.JudgementStep{At: e.At, Policy: e.Policy, Action: e.Action, Active: e.Active, First: true}
	for n := range r.Rows {
		row := plainRow(&r.Rows[n])
		if row.Exception != nil {
			continue
		}
		step.Rows++
		switch row.Action {
		case engine.ActionStop:
			step.Stop++
		case engine.ActionWarn:
			step.Warn++
		}
		rows[stepRow{row.TriggerID, row.Gate, row.Trigger, row.Action}] = row
	}
	if newer, ok := s.open[e.Policy]; ok {
		n := &s.List[newer.at]
		n.First, n.Document = false, newer.bundle != e.BundleDigest
		n.More, n.Came = missing(newer.rows, rows)
		n.Fewer, n.Went = missing(rows, newer.rows)
		delete(s.open, e.Policy)
	}
	if !shown {
		return
	}
	if s.open == nil {
		s.open = map[string]openStep{}
	}
	s.open[e.Policy] = openStep{len(s.List), e.BundleDigest, rows}
	s.List = append(s.List, step)
}

// Waiting reports whether an entry still awaits the one before.
func (s *Steps) Waiting() bool { return len(s.open) > 0 }

// missing is how many rows of one set the other has not, and the worst of them.
func missing(of, in map[stepRow]engine.JudgementRow) (int, []engine.JudgementRow) {
	var list []engine.JudgementRow
	for k, row := range of {
		if _, ok := in[k]; !ok {
			list = append(list, row)
		}
	}
	slices.SortFunc(list, func(a, b engine.JudgementRow) int {
		return cmp.Or(cmp.Compare(actionRank(a.Action), actionRank(b.Action)), cmp.Compare(a.Gate, b.Gate),
			cmp.Compare(a.Trigger, b.Trigger), cmp.Compare(a.TriggerID, b.TriggerID))
	})
	return len(list), list[:min(len(list), maxNamed)]
}

// actionRank orders actions, the worst first.
func actionRank(action string) int {
	return slices.Index([]string{engine.ActionStop, engine.ActionWarn, engine.ActionGo}, action)
}
