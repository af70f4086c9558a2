package engine

import (
	"cmp"
	"slices"
)

// MaxVerdictChanges bounds the changes that are told of one image.
const MaxVerdictChanges = 500

// VerdictRows counts the rows of a verdict by action; those that an exception
// set aside are in Excepted alone.
type VerdictRows struct{ Stop, Warn, Go, Excepted int }

// Total is the number of rows.
func (r VerdictRows) Total() int { return r.Stop + r.Warn + r.Go + r.Excepted }

// Count counts the rows of a verdict.
func (v *Verdict) Count() VerdictRows {
	var n VerdictRows
	for i := range v.Rows {
		switch r := &v.Rows[i]; {
		case r.Exception != nil:
			n.Excepted++
		case r.Action == ActionStop:
			n.Stop++
		case r.Action == ActionWarn:
			n.Warn++
		default:
			n.Go++
		}
	}
	return n
}

// Kinds of a change between two verdicts.
const (
	RowNew     = "new"
	RowGone    = "gone"
	RowChanged = "changed"
)

// VerdictChange is a finding that two verdicts do not share, or treat
// differently.
type VerdictChange struct {
	Kind string
	Row  VerdictRow  // by the tried bundle; by the other when it is gone
	Was  *VerdictRow // by the other, when it is another now
}

// finding is what two bundles may both fire on.
type finding struct{ gate, trigger, id string }

// Compare fills in how the tried verdict differs from the one beside it. A
// finding that several rules fire on counts once, by the row that weighs most.
func (t *PolicyTrial) Compare() {
	t.TriedRows = t.Tried.Count()
	if t.Now == nil {
		return
	}
	t.NowRows = t.Now.Count()
	tried, now := weightiest(t.Tried.Rows), weightiest(t.Now.Rows)
	for k, r := range tried {
		was := now[k]
		switch {
		case was == nil:
			t.Changes = append(t.Changes, VerdictChange{Kind: RowNew, Row: *r})
		case was.Action != r.Action || (was.Exception == nil) != (r.Exception == nil):
			t.Changes = append(t.Changes, VerdictChange{Kind: RowChanged, Row: *r, Was: was})
		default:
			t.Same++
		}
	}
	for k, r := range now {
		if tried[k] == nil {
			t.Changes = append(t.Changes, VerdictChange{Kind: RowGone, Row: *r})
		}
	}
	slices.SortFunc(t.Changes, func(a, b VerdictChange) int {
		return cmp.Or(cmp.Compare(b.weight(), a.weight()), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Row.Gate, b.Row.Gate),
			cmp.Compare(a.Row.Trigger, b.Row.Trigger), cmp.Compare(a.Row.Output, b.Row.Output), cmp.Compare(a.Row.TriggerID, b.Row.TriggerID))
	})
	if more := len(t.Changes) - MaxVerdictChanges; more > 0 {
		t.Changes, t.MoreChanges = slices.Clip(t.Changes[:MaxVerdictChanges]), more
	}
}

func weightiest(rows []VerdictRow) map[finding]*VerdictRow {
	m := make(map[finding]*VerdictRow, len(rows))
	for i := range rows {
		r := &rows[i]
		k := finding{r.Gate, r.Trigger, r.TriggerID}
		if old := m[k]; old == nil || weight(r.Action) > weight(old.Action) {
			m[k] = r
		}
	}
	return m
}

func weight(action string) int {
	return slices.Index([]string{ActionGo, ActionWarn, ActionStop}, action)
}

// weight puts what stops an image, or stopped it, before the rest.
func (c *VerdictChange) weight() int {
	w := weight(c.Row.Action)
	if c.Was != nil {
		w = max(w, weight(c.Was.Action))
	}
	return w
}
