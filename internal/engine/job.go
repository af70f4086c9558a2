package engine

import "time"

// Names of the queues, as v1 knows them.
const (
	QueueAnalyze = "images_to_analyze"
	QueueMatch   = "image_vulnerabilities"
	QueueFeeds   = "feed_sync_tasks"
	// QueueEvaluate is this engine's own: v1 evaluated within its watcher.
	QueueEvaluate = "policy_evaluations"
	// QueueReevaluate holds a job for each account all of whose images are to
	// be evaluated.
	QueueReevaluate = "policy_reevaluations"
)

// Job is one message of a queue with its lease.
type Job struct {
	ID          int64
	Queue       string
	Account     string
	Subject     string // image digest for analyses and matches
	Payload     []byte // JSON
	Priority    int    // higher first
	Generation  int    // grows when the job is renewed: what was leased before is out of date
	Attempt     int    // fences the finish: only the holder of the newest attempt may write
	MaxAttempts int
	Host        string // only this host may lease it; empty: any
	LeasedBy    string
	LeasedUntil time.Time
	AvailableAt time.Time
	CreatedAt   time.Time
	LastError   string
}

// QueueStat is the state of one queue.
type QueueStat struct {
	Queue           string
	Waiting, Leased int64
	Oldest          time.Time // creation of the oldest waiting message; zero: none

	// Of the overview alone, which counts the messages of one account.
	Delayed int64         // wait for their next attempt
	All     int64         // of all accounts, not running
	Ended   int64         // of all accounts, within the time Over
	Over    time.Duration // how far back Ended looks
	Paused  bool
}

// Drain estimates how long it takes until what waits has ended, at the rate of
// late; 0 when that says nothing.
func (q QueueStat) Drain() time.Duration {
	const fewest = 3 // fewer make no rate
	if q.All == 0 || q.Ended < fewest || q.Paused {
		return 0
	}
	return time.Duration(float64(q.All) / float64(q.Ended) * float64(q.Over))
}

// AnalyzeTask is the payload of a job of QueueAnalyze, as JSON; the job's
// subject is the image digest.
type AnalyzeTask struct {
	Pull   string      `json:"pull"`             // registry/repository@digest, for FromRegistry and FromSample
	Source ImageSource `json:"source"`           // where the bytes come from
	Layout string      `json:"layout"`           // name of the OCI layout in this host's spool, for FromUpload
	Import string      `json:"import,omitempty"` // id of the import, for FromImport
}
