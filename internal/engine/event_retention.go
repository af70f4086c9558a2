package engine

import "time"

// RetentionRule says how long events of a level are kept, in all accounts.
type RetentionRule struct {
	Level     string
	Enabled   bool // off: they are kept until somebody clears them
	Days      int
	UpdatedAt time.Time
	UpdatedBy string // empty: nobody has changed what it began with
}

// MaxRetentionDays is the longest that a rule can say: ten years.
const MaxRetentionDays = 3650

// CheckRetention refuses rules that cannot be meant. One for each level at most.
func CheckRetention(rules []RetentionRule) error {
	seen := map[string]bool{}
	for _, r := range rules {
		switch {
		case r.Level != LevelInfo && r.Level != LevelError:
			return Invalidf("There are no events of level %.20q.", r.Level)
		case seen[r.Level]:
			return Invalidf("There are two rules for the level %s.", r.Level)
		case r.Days < 1 || r.Days > MaxRetentionDays:
			return Invalidf("Events of level %s can be kept for 1 to %d days, not %d.", r.Level, MaxRetentionDays, r.Days)
		}
		seen[r.Level] = true
	}
	return nil
}

// RetentionPlan is what a rule would delete now.
type RetentionPlan struct {
	Level  string
	Days   int
	Before time.Time // younger ones stay
	Events int64     // exactly, in all accounts
	Oldest time.Time // of them; zero: there are none
}

// States of a run of the retention.
const (
	RetentionRunning   = "running"
	RetentionDone      = "done"
	RetentionCancelled = "cancelled" // what was not deleted yet stays
)

// RetentionRun is one application of the rules.
type RetentionRun struct {
	ID        int64
	Trigger   string // schedule, request
	By        string // who asked for it
	Status    string
	Rules     []RetentionPart
	Deleted   int64 // so far
	Host      string
	StartedAt time.Time
	EndedAt   time.Time
}

// RetentionPart is a rule as it was when a run began, and what it has deleted.
type RetentionPart struct {
	Level   string    `json:"level"`
	Days    int       `json:"days"`
	Before  time.Time `json:"before"`
	Total   int64     `json:"total"` // counted when the run began
	Deleted int64     `json:"deleted"`
}

// Total is how many events the run began to delete.
func (r RetentionRun) Total() (n int64) {
	for _, p := range r.Rules {
		n += p.Total
	}
	return n
}
