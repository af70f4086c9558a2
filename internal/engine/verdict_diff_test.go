package engine

import (
	"fmt"
	"reflect"
	"testing"
)

func TestVerdictsAreCompared(t *testing.T) {
	row := func(id, action string) VerdictRow {
		r := VerdictRow{Gate: "g", Trigger: "t", TriggerID: id, Action: action}
		if action == "excepted" {
			r.Action, r.Exception = ActionGo, &VerdictException{ItemID: "i"}
		}
		return r
	}
	trial := PolicyTrial{
		Tried: Verdict{Rows: []VerdictRow{row("same", "stop"), row("new", "warn"), row("eased", "excepted"), row("twice", "go"), row("twice", "stop"), row("go", "go")}},
		Now:   &Verdict{Rows: []VerdictRow{row("same", "stop"), row("same", "warn"), row("gone", "stop"), row("eased", "stop"), row("twice", "warn"), row("go", "excepted")}},
	}
	trial.Compare()
	var got []string
	for _, c := range trial.Changes {
		s := c.Kind + " " + c.Row.TriggerID + " " + c.Row.Action
		if c.Was != nil {
			s += " was " + c.Was.Action
		}
		got = append(got, s)
	}
	want := []string{"changed eased go was stop", "changed twice stop was warn", "gone gone stop", "new new warn", "changed go go was go"}
	if !reflect.DeepEqual(got, want) || trial.Same != 1 {
		t.Errorf("got %q, %d the same\nwant %q and one", got, trial.Same, want)
	}
	if n := trial.TriedRows; n != (VerdictRows{Stop: 2, Warn: 1, Go: 2, Excepted: 1}) || n.Total() != 6 {
		t.Errorf("counted %+v", n)
	}
}

func TestChangesAreBounded(t *testing.T) {
	trial := PolicyTrial{Now: &Verdict{}}
	for i := range MaxVerdictChanges + 7 {
		trial.Tried.Rows = append(trial.Tried.Rows, VerdictRow{TriggerID: fmt.Sprint(i), Action: ActionGo})
	}
	trial.Compare()
	if len(trial.Changes) != MaxVerdictChanges || trial.MoreChanges != 7 {
		t.Errorf("%d changes and %d more", len(trial.Changes), trial.MoreChanges)
	}
}
