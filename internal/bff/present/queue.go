package present

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// QueueHref is the address of the queues.
const QueueHref = "/queue"

// QueueIn is what the queue page is made of.
type QueueIn struct {
	Board       engine.QueueBoard
	History     []engine.QueueSample
	Running     []engine.QueueMessage
	Messages    []engine.QueueMessage
	Total       int
	Open        *engine.QueueMessage // without a queue: it is done
	Filter      engine.MessageFilter
	Query       url.Values
	Everyone    bool // messages of all accounts are shown
	May, Manage bool
	API, User   string
}

// Charted is the queue whose day is shown.
func (in QueueIn) Charted() string {
	if in.Filter.Queue != "" {
		return in.Filter.Queue
	}
	return engine.QueueAnalyze
}

var queueWords = map[string]struct{ name, does string }{
	engine.QueueAnalyze:    {"Analysis", "images to pull and look into"},
	engine.QueueMatch:      {"Matching", "images to match with new feed data"},
	engine.QueueEvaluate:   {"Evaluation", "images to ask the policy about"},
	engine.QueueReevaluate: {"Re-evaluation", "whole accounts to ask it about"},
	engine.QueueFeeds:      {"Feed data", "starter data to install"},
}

// QueueName is a queue in a person's word.
func QueueName(queue string) string {
	if w, ok := queueWords[queue]; ok {
		return w.name
	}
	return queue
}

// Queue shapes the page.
func Queue(in QueueIn, c Clock) view.QueuePage {
	v := view.QueuePage{
		Text: in.Filter.Text, State: string(in.Filter.State), May: in.May, Manage: in.Manage, Everyone: in.Everyone,
		Filtered: keepsMessages(in.Query), Back: QueueHref + encode(with(in.Query, "open", "")), Same: queueSame(in),
	}
	v.Close = v.Back
	var waiting, running int64
	for _, q := range in.Board.Queues {
		waiting, running = waiting+q.Depth(), running+q.Running
		row := queueRow(q, c)
		row.Current = q.Name == in.Charted() && in.Everyone
		v.Queues = append(v.Queues, row)
		if q.Paused != nil {
			p := view.QueuePaused{Queue: q.Name, Name: QueueName(q.Name), At: c.Ago(q.Paused.At), Text: "by " + q.Paused.By}
			if q.Paused.Reason != "" {
				p.Text += ": " + q.Paused.Reason
			}
			v.Pauses = append(v.Pauses, p)
		}
		v.Choices = append(v.Choices, view.Option{Value: q.Name, Text: QueueName(q.Name), Selected: q.Name == in.Filter.Queue})
	}
	v.Choices = append([]view.Option{{Text: "All queues"}}, v.Choices...)
	v.Sub = Count(waiting) + " waiting, " + Count(running) + " running"
	v.Tabs = messageTabs(in)
	v.Workers = queueWorkers(in, c)
	if in.Everyone {
		chart := queueChart(in, c)
		v.Chart = &chart
	}
	for _, m := range in.Messages {
		row := messageRow(m, in, c)
		row.Open = in.Open != nil && in.Open.ID == m.ID
		v.Rows = append(v.Rows, row)
	}
	v.Pager = view.Pager{Text: Count(len(in.Messages)) + " of " + Plural(in.Total, "message", "messages")}
	if in.Filter.After > 0 {
		v.Pager.First = QueueHref + encode(with(in.Query, "after", ""))
	}
	if n := len(in.Messages); n > 0 && n == in.Filter.Limit {
		v.Pager.Next = QueueHref + encode(with(in.Query, "after", strconv.FormatInt(in.Messages[n-1].ID, 10)))
	}
	if v.Filtered {
		v.Clear = QueueHref
	}
	if in.May && in.Total > len(in.Messages) {
		v.All = "all " + Count(in.Total)
		if v.Filtered {
			v.All += " that match"
		}
		v.AllHref = map[string]string{}
		for _, do := range engine.MessageActions {
			v.AllHref[string(do)] = QueueHref + "/confirm" + encode(with(with(with(in.Query, "after", ""), "do", string(do)), "all", "1"))
		}
	}
	if in.Open != nil {
		v.Open = messageDetail(*in.Open, in, c)
	}
	return v
}

func keepsMessages(q url.Values) bool {
	return q.Get("q") != "" || q.Get("queue") != "" || q.Get("state") != ""
}

func queueRow(q engine.Queue, c Clock) view.QueueRow {
	href := func(state engine.MessageState) string {
		return QueueHref + encode(url.Values{"queue": {q.Name}, "state": {string(state)}})
	}
	w := queueWords[q.Name]
	r := view.QueueRow{
		ID: "queue-" + q.Name, Queue: q.Name, Name: w.name, Does: w.does, Href: QueueHref + encode(url.Values{"queue": {q.Name}}),
		Waiting: Count(q.Waiting), Running: Count(q.Running), Delayed: Count(q.Delayed),
		WaitingHref: href(engine.MessageWaiting), RunningHref: href(engine.MessageRunning), DelayedHref: href(engine.MessageDelayed),
		Rate: Count(q.DoneHour) + " / h", Failed: Count(q.FailDay), Paused: q.Paused != nil, Drain: drain(q),
		Workers: Plural(q.Hands(), "worker", "workers"),
		Oldest:  view.Time{Text: "-"},
	}
	if !q.Oldest.IsZero() {
		r.Oldest = c.since(q.Oldest)
	}
	if q.FailDay > 0 && q.Name == engine.QueueAnalyze {
		r.FailedHref = "/images?state=" + string(engine.Failed)
	}
	if len(q.Workers) > 1 {
		r.Workers += " on " + Plural(len(q.Workers), "process", "processes")
	}
	switch {
	case q.Paused != nil:
		r.Pill = view.Pill{Tone: "warn", Text: "paused"}
	case len(q.Workers) == 0 && q.Depth() > 0:
		r.Pill = view.Pill{Tone: "bad", Text: "no worker", Title: "Nobody works this queue off"}
	case len(q.Workers) == 0:
		r.Pill = view.Pill{Tone: "off", Text: "no worker"}
	case q.Busy > 0:
		r.Pill = view.Pill{Tone: "run", Text: "working", Title: Plural(q.Busy, "message", "messages") + " in hand"}
	case q.Waiting > 0:
		r.Pill = view.Pill{Tone: "run", Text: "taking"}
	case q.Delayed > 0:
		r.Pill = view.Pill{Tone: "warn", Text: "backing off", Title: "All that wait have failed and are tried again later"}
	default:
		r.Pill = view.Pill{Tone: "ok", Text: "idle"}
	}
	return r
}

// drain estimates how long a queue takes to become empty at the rate of the
// last hour; nothing when that says nothing.
func drain(q engine.Queue) string {
	if q.Depth() == 0 || q.DoneHour < 3 || q.Paused != nil {
		return ""
	}
	return "empty in about " + Span(time.Duration(float64(q.Depth())/float64(q.DoneHour)*float64(time.Hour)))
}

func messageTabs(in QueueIn) []view.StateCount {
	var counts [5]int64
	for _, q := range in.Board.Queues {
		if in.Filter.Queue != "" && q.Name != in.Filter.Queue {
			continue
		}
		counts[0] += q.Depth() + q.Running
		counts[1] += q.Waiting
		counts[2] += q.Running
		counts[3] += q.Delayed
		counts[4] += q.Troubled
	}
	var tabs []view.StateCount
	for i, t := range []struct{ state, text string }{
		{"", "All"}, {"waiting", "Waiting"}, {"running", "Running"}, {"delayed", "Backing off"}, {"troubled", "Failed before"},
	} {
		tabs = append(tabs, view.StateCount{
			Text: t.text, Count: Count(counts[i]), Current: string(in.Filter.State) == t.state,
			Href: QueueHref + encode(with(with(with(in.Query, "after", ""), "open", ""), "state", t.state)),
		})
	}
	return tabs
}

// queueWorkers lists the processes, one by one, with what is in their hands: a
// process may work several queues off.
func queueWorkers(in QueueIn, c Clock) []view.QueueWorker {
	var out []view.QueueWorker
	shown := map[string]bool{}
	for _, q := range in.Board.Queues {
		for _, w := range q.Workers {
			if q.Name != engine.QueueAnalyze && in.Filter.Queue != q.Name {
				continue // the other queues' hands are few and quick
			}
			shown[w.ID] = true
			out = append(out, queueWorker(q, w, in, c))
		}
	}
	for _, m := range in.Running {
		if m.Queue == engine.QueueAnalyze && !shown[m.LeasedBy] {
			shown[m.LeasedBy] = true
			lost := queueWorker(in.Board.Of(m.Queue), engine.QueueWorker{ID: m.LeasedBy, Host: engine.HostOf(m.LeasedBy)}, in, c)
			lost.Pill, lost.Hands = view.Pill{Tone: "bad", Text: "gone", Title: "It is no longer heard of; its leases lapse by themselves"}, ""
			out = append(out, lost)
		}
	}
	return out
}

func queueWorker(q engine.Queue, w engine.QueueWorker, in QueueIn, c Clock) view.QueueWorker {
	service := engine.QueueService(q.Name)
	v := view.QueueWorker{ID: "worker-" + q.Name + "-" + w.ID, Host: w.Host, Service: service, Href: ServiceHref(service, w.Host), Since: c.since(w.Since)}
	for _, m := range in.Running {
		if m.Queue != q.Name || m.LeasedBy != w.ID {
			continue
		}
		row := view.WorkerMessage{ID: fmt.Sprintf("hand-%d", m.ID), Title: MessageTitle(m), Href: messageHref(in.Query, m.ID), Queue: QueueName(m.Queue)}
		if m.Progress != nil {
			meter := progressMeter(*m.Progress)
			row.Meter, row.Since = &meter, c.since(m.Progress.Since)
		}
		v.Messages = append(v.Messages, row)
	}
	n := len(v.Messages)
	switch {
	case n == 0:
		v.Pill = view.Pill{Tone: "ok", Text: "idle"}
	case n < w.Hands:
		v.Pill = view.Pill{Tone: "run", Text: "working"}
	default:
		v.Pill = view.Pill{Tone: "run", Text: "busy", Title: "All its workers are busy"}
	}
	v.Hands = fmt.Sprintf("%d of %s busy", n, Plural(w.Hands, "worker", "workers"))
	if !in.Everyone {
		v.Hands = Plural(w.Hands, "worker", "workers")
		if q.Busy > q.Running {
			v.Hidden = "It may be working on messages of other accounts."
		}
	}
	return v
}

func messageHref(q url.Values, id int64) string {
	return QueueHref + encode(with(q, "open", strconv.FormatInt(id, 10)))
}

// MessageTitle names what a message is about.
func MessageTitle(m engine.QueueMessage) string {
	if m.Name != "" {
		return m.Name
	}
	if strings.HasPrefix(m.Subject, "sha256:") {
		return engine.Digest(m.Subject).Short()
	}
	if m.Subject == "" {
		return QueueName(m.Queue)
	}
	return m.Subject
}

func messageRow(m engine.QueueMessage, in QueueIn, c Clock) view.MessageRow {
	why := m.Why(in.Board.Of(m.Queue), in.Board.Now)
	r := view.MessageRow{
		DOMID: fmt.Sprintf("message-%d", m.ID), ID: strconv.FormatInt(m.ID, 10), Href: messageHref(in.Query, m.ID), Title: MessageTitle(m),
		Queue: QueueName(m.Queue), Account: m.Account, Why: why.Text, Stuck: why.Stuck, Since: c.since(m.CreatedAt),
		Attempts: Count(m.Attempt),
		Release:  in.May && m.State == engine.MessageRunning,
		Retry:    in.May && m.State != engine.MessageRunning && (m.State == engine.MessageDelayed || m.Attempt > 0),
	}
	if m.Name != "" && strings.HasPrefix(m.Subject, "sha256:") {
		r.Short = engine.Digest(m.Subject).Short()
	}
	if m.MaxAttempts > 1 {
		r.Attempts += " of " + Count(m.MaxAttempts)
	}
	if !why.Until.IsZero() {
		r.Until, r.Next = c.Until(why.Until), "Next try"
		if why.Code == "worker_lost" {
			r.Next = "It ends"
		}
	}
	r.State = messagePill(m, why)
	return r
}

func messagePill(m engine.QueueMessage, why engine.Wait) view.Pill {
	switch {
	case why.Code == "worker_lost":
		return view.Pill{Tone: "bad", Text: "worker lost"}
	case m.State == engine.MessageRunning:
		return view.Pill{Tone: "run", Text: "running"}
	case why.Code == "paused":
		return view.Pill{Tone: "warn", Text: "paused"}
	case why.Stuck:
		return view.Pill{Tone: "bad", Text: "stuck"}
	case m.State == engine.MessageDelayed:
		return view.Pill{Tone: "warn", Text: "backing off"}
	}
	return view.Pill{Text: "waiting"}
}

func messageDetail(m engine.QueueMessage, in QueueIn, c Clock) *view.MessageDetail {
	if m.Queue == "" {
		return &view.MessageDetail{Row: view.MessageRow{ID: strconv.FormatInt(m.ID, 10), Title: "Message " + Count(m.ID)}}
	}
	id := strconv.FormatInt(m.ID, 10)
	d := &view.MessageDetail{
		Row: messageRow(m, in, c), Subject: m.Subject, Host: m.Host, Error: m.LastError, Worker: m.LeasedBy,
		Priority: Count(m.Priority), Generation: Count(m.Generation), Payload: string(m.Payload), Available: c.Ago(m.AvailableAt),
		Same: view.SameBy{API: fmt.Sprintf("curl -u %s '%s/v1/console/messages/%s%s'", in.User, in.API, id, everyone(in))},
	}
	if m.AvailableAt.After(c.Now) {
		d.Available = c.Until(m.AvailableAt)
	}
	if strings.HasPrefix(m.Subject, "sha256:") {
		d.SubjectHref = ImageHref(engine.Digest(m.Subject))
	}
	if m.State == engine.MessageRunning {
		d.Leased = c.Until(m.LeasedUntil)
	}
	return d
}

func everyone(in QueueIn) string {
	if in.Everyone {
		return "?everyone=true"
	}
	return ""
}

func queueSame(in QueueIn) view.SameBy {
	q := url.Values{}
	for page, api := range map[string]string{"queue": "queue", "state": "state", "q": "text"} {
		if v := in.Query.Get(page); v != "" {
			q.Set(api, v)
		}
	}
	if in.Everyone {
		q.Set("everyone", "true")
	}
	return view.SameBy{API: fmt.Sprintf("curl -u %s '%s/v1/console/messages%s'", in.User, in.API, encode(q))}
}

// MessagesDone says what an action did.
func MessagesDone(do engine.MessageAction, d engine.MessagesDone) string {
	if d.Done == 0 {
		return NoneAltered(do)
	}
	text := map[engine.MessageAction][2]string{
		engine.MessageRetry:   {"message is tried now.", "messages are tried now."},
		engine.MessageRelease: {"message is offered again.", "messages are offered again."},
		engine.MessageDrop:    {"message dropped.", "messages dropped."},
	}[do]
	out := Plural(d.Done, text[0], text[1])
	if d.Left > 0 {
		out += " " + Plural(d.Left, "matches", "match") + " still: ask once more."
	}
	return out
}

// NoneAltered says why an action did nothing.
func NoneAltered(do engine.MessageAction) string {
	switch do {
	case engine.MessageRetry:
		return "None of these messages waits: those that run are not tried twice."
	case engine.MessageRelease:
		return "None of these messages is being worked on."
	}
	return "These messages are done, or gone, already."
}

// BulkMessages words the question; false when there is no such action.
func BulkMessages(v *view.BulkMessages) bool {
	n := Plural(v.Count, "message", "messages")
	switch engine.MessageAction(v.Do) {
	case engine.MessageRetry:
		v.Title, v.Button = "Try "+n+" now", "Try "+n+" now"
		v.Text = "Their pauses end and they have all attempts before them again. They are taken as workers become free."
	case engine.MessageRelease:
		v.Title, v.Button = "Release "+n, "Release "+n
		v.Text = "Their workers lose them and throw away what they have done so far; the messages are offered again at once."
	case engine.MessageDrop:
		v.Title, v.Button, v.Danger = "Drop "+n, "Drop "+n, true
		v.Text = "They leave the queue undone. An analysis that is dropped counts as cancelled; an image that is not matched again keeps its older matches. This can be taken back for an hour."
	default:
		return false
	}
	if rest := v.Count - len(v.Names); rest > 0 && len(v.Names) > 0 {
		v.More = "and " + Count(rest) + " more"
	}
	return true
}
