package engine

import (
	"fmt"
	"slices"
	"time"
)

// QueueNames lists the queues in the order in which an image passes them.
var QueueNames = []string{QueueAnalyze, QueueMatch, QueueEvaluate, QueueReevaluate, QueueFeeds}

// KnownQueue reports whether there is a queue of that name.
func KnownQueue(name string) bool { return slices.Contains(QueueNames, name) }

// QueueService is the kind of service that works a queue off.
func QueueService(queue string) string {
	if queue == QueueAnalyze {
		return Analyzer
	}
	return PolicyEngine
}

// QueueBoard is all queues at one moment, by the database's clock.
type QueueBoard struct {
	Now    time.Time
	Queues []Queue
}

// Of is the queue of that name; one without anything when there is none.
func (b QueueBoard) Of(name string) Queue {
	for _, q := range b.Queues {
		if q.Name == name {
			return q
		}
	}
	return Queue{Name: name}
}

// Queue is the state of one queue, as far as one account may see it: the
// messages are counted of that account, the workers serve all of them.
type Queue struct {
	Name     string
	Waiting  int64     // could be leased now
	Delayed  int64     // wait for their next attempt
	Running  int64     // leased
	Troubled int64     // not running, and the attempt before failed
	Oldest   time.Time // creation of the oldest that is not running; zero: none
	Paused   *QueuePause
	Workers  []QueueWorker // those that are up
	Busy     int64         // leased messages of all accounts
	DoneHour int64         // ended in the last hour
	DoneDay  int64
	FailDay  int64 // given up in the last day
	RetryDay int64 // attempts of the last day that another followed
}

// Hands is how many messages the workers can do at once.
func (q Queue) Hands() int {
	n := 0
	for _, w := range q.Workers {
		n += w.Hands
	}
	return n
}

// Depth is how many messages are not running.
func (q Queue) Depth() int64 { return q.Waiting + q.Delayed }

// QueuePause is who stopped a queue from being worked off.
type QueuePause struct {
	By, Reason string
	At         time.Time
}

// QueueWorker is a process that works a queue off.
type QueueWorker struct {
	ID    string // as in Job.LeasedBy
	Host  string
	Hands int // messages at once
	Since time.Time
	Seen  time.Time
}

// MessageState is where a message of a queue stands.
type MessageState string

const (
	MessageWaiting  MessageState = "waiting"  // could be leased now
	MessageDelayed  MessageState = "delayed"  // waits for its next attempt
	MessageRunning  MessageState = "running"  // leased
	MessageTroubled MessageState = "troubled" // of a filter: not running, and the attempt before failed
)

// MessageStates are the states that a filter may ask for.
var MessageStates = []MessageState{MessageWaiting, MessageRunning, MessageDelayed, MessageTroubled}

// QueueMessage is a job with what is known of its subject.
type QueueMessage struct {
	Job
	State    MessageState
	Name     string    // newest tag of the image; empty: no image, or no tag
	Progress *Progress // of the analysis, while it runs
	Ahead    int64     // messages that are leased before it; only of a message asked for alone
}

// MessageFilter selects messages. Zero fields select all.
type MessageFilter struct {
	Account string // empty: of all accounts
	Queue   string
	State   MessageState
	Text    string // part of the subject or the name
	IDs     []int64
	After   int64 // cursor: the id of the last one seen
	Limit   int
}

// MessageAction is what can be done to messages by hand.
type MessageAction string

const (
	MessageRetry   MessageAction = "retry"   // try now, with all attempts before it
	MessageRelease MessageAction = "release" // take the lease from its worker and offer it again
	MessageDrop    MessageAction = "drop"    // forget it
)

// MessageActions lists them.
var MessageActions = []MessageAction{MessageRetry, MessageRelease, MessageDrop}

// MessagesDone is what an action did.
type MessagesDone struct {
	Done int
	Left int    // that match still, because the time was up
	Undo string // takes it back for an hour; empty: it cannot be taken back
}

// QueueSample is a span of a queue's history.
type QueueSample struct {
	Queue           string
	At              time.Time // its beginning
	Waiting, Leased int64     // the most at once
	Done, Failed    int64
	Retried         int64
}

// Wait says why a message is where it is.
type Wait struct {
	Code  string    // stable word
	Text  string    // a sentence for a person, without the moment
	Until time.Time // when that ends by itself; zero: not by itself, or not known
	Stuck bool      // nothing moves until somebody does something
}

// Why tells why a message waits, or who works on it, from the queue it is in.
func (m QueueMessage) Why(q Queue, now time.Time) Wait {
	holder := slices.IndexFunc(q.Workers, func(w QueueWorker) bool { return w.ID == m.LeasedBy })
	switch {
	case m.State == MessageRunning && holder < 0:
		return Wait{Code: "worker_lost", Text: fmt.Sprintf("Its worker on %s is no longer heard of. The message is offered again when the lease ends.", HostOf(m.LeasedBy)), Until: m.LeasedUntil}
	case m.State == MessageRunning:
		return Wait{Code: "running", Text: "Being worked on by " + HostOf(m.LeasedBy) + "."}
	case q.Paused != nil:
		return Wait{Code: "paused", Text: pausedText(*q.Paused), Stuck: true}
	case m.Queue == QueueAnalyze && m.Attempt >= m.MaxAttempts && m.Attempt > 0:
		return Wait{Code: "spent", Text: "Its worker was lost in the last attempt allowed. The catalog gives it up within a minute."}
	case m.AvailableAt.After(now):
		text := fmt.Sprintf("Attempt %d failed", m.Attempt)
		if m.MaxAttempts > 1 {
			text = fmt.Sprintf("Attempt %d of %d failed", m.Attempt, m.MaxAttempts)
		}
		if m.LastError != "" {
			text += ": " + m.LastError
		}
		return Wait{Code: "backoff", Text: text, Until: m.AvailableAt}
	case len(q.Workers) == 0:
		return Wait{Code: "no_worker", Text: "No " + QueueService(m.Queue) + " is up that works this queue off.", Stuck: true}
	}
	return m.waits(q)
}

// waits tells why a message that could be leased is not.
func (m QueueMessage) waits(q Queue) Wait {
	if m.Host != "" && !slices.ContainsFunc(q.Workers, func(w QueueWorker) bool { return w.Host == m.Host }) {
		return Wait{Code: "host_down", Text: fmt.Sprintf("Only %s can do it, since the upload lies there, and no %s is up on that host.", m.Host, QueueService(m.Queue)), Stuck: true}
	}
	hands := q.Hands()
	if q.Busy < int64(hands) {
		return Wait{Code: "next", Text: "A worker is free: it is taken next."}
	}
	text := "The only worker is busy."
	if hands > 1 {
		text = fmt.Sprintf("All %d workers are busy.", hands)
	}
	switch {
	case m.Ahead == 1:
		text += " One message is ahead of it."
	case m.Ahead > 1:
		text += fmt.Sprintf(" %d messages are ahead of it.", m.Ahead)
	}
	return Wait{Code: "busy", Text: text}
}

func pausedText(p QueuePause) string {
	text := "The queue is paused by " + p.By
	if p.Reason != "" {
		return text + ": " + p.Reason
	}
	return text + "."
}

// HostOf is the host of a worker's id.
func HostOf(worker string) string {
	for i := len(worker) - 1; i >= 0; i-- {
		if worker[i] == '/' {
			return worker[:i]
		}
	}
	return worker
}
