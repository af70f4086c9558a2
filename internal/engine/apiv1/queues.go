package apiv1

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"windlass/internal/engine"
)

// Queues is what the operations on queues ask of the engine. An empty account
// stands for all of them.
type Queues interface {
	Queues(ctx context.Context, account string) (engine.QueueBoard, error)
	QueueHistory(ctx context.Context, queue string, since time.Time, span time.Duration) ([]engine.QueueSample, error)
	PauseQueue(ctx context.Context, queue, by, reason string) error
	ResumeQueue(ctx context.Context, queue string) error
	Messages(ctx context.Context, f engine.MessageFilter) ([]engine.QueueMessage, error)
	CountMessages(ctx context.Context, f engine.MessageFilter) (int, error)
	Message(ctx context.Context, account string, id int64) (engine.QueueMessage, error)
	AlterMessages(ctx context.Context, do engine.MessageAction, f engine.MessageFilter, by string) (engine.MessagesDone, error)
	UndoDrop(ctx context.Context, account, batch string) (int, error)
}

func (s *Server) queuesOps() map[string]op {
	return map[string]op{
		"listQueues":        {perm: acct("listQueues"), call: s.listQueues, quiet: true},
		"updateQueue":       {perm: admin("updateQueue"), call: s.updateQueue},
		"getQueueHistory":   {perm: admin("listQueues"), call: s.getQueueHistory},
		"listQueueMessages": {perm: acct("listQueues"), call: s.listQueueMessages},
		"getQueueMessage":   {perm: acct("listQueues"), call: s.getQueueMessage},
		"alterMessages":     {perm: acct("updateMessages"), call: s.alterMessages},
		"undoMessages":      {perm: acct("updateMessages"), call: s.undoMessages},
	}
}

// reach is the account whose messages a request is about: its own, or, for
// those who may, all.
func reach(r *request, everyone bool, action string) (string, error) {
	if !everyone {
		return r.Account, nil
	}
	return "", r.Identity.Permit(engine.SystemDomain, action)
}

// wireQueue is a queue on the wire.
type wireQueue struct {
	Name     string       `json:"name"`
	Waiting  int64        `json:"waiting"`
	Delayed  int64        `json:"delayed"`
	Running  int64        `json:"running"`
	Troubled int64        `json:"troubled"`
	Oldest   *string      `json:"oldest_at"`
	DoneHour int64        `json:"done_last_hour"`
	FailDay  int64        `json:"failed_last_day"`
	RetryDay int64        `json:"retried_last_day"`
	Paused   *wirePause   `json:"paused"`
	Workers  []wireWorker `json:"workers"`
}

type wirePause struct {
	By     string  `json:"by"`
	Reason *string `json:"reason"`
	At     string  `json:"at"`
}

type wireWorker struct {
	ID    string `json:"id"`
	Host  string `json:"host"`
	Hands int    `json:"hands"`
	Since string `json:"since"`
	Seen  string `json:"seen_at"`
}

func wireQueueOf(q engine.Queue) wireQueue {
	v := wireQueue{
		Name: q.Name, Waiting: q.Waiting, Delayed: q.Delayed, Running: q.Running, Troubled: q.Troubled, Oldest: stampOrNil(q.Oldest),
		DoneHour: q.DoneHour, FailDay: q.FailDay, RetryDay: q.RetryDay, Workers: []wireWorker{},
	}
	if p := q.Paused; p != nil {
		v.Paused = &wirePause{By: p.By, Reason: orNil(p.Reason), At: stamp(p.At)}
	}
	for _, w := range q.Workers {
		v.Workers = append(v.Workers, wireWorker{ID: w.ID, Host: w.Host, Hands: w.Hands, Since: stamp(w.Since), Seen: stamp(w.Seen)})
	}
	return v
}

func (s *Server) listQueues(w http.ResponseWriter, r *request) error {
	account, err := reach(r, r.queryBool("everyone", false), "listQueues")
	if err != nil {
		return err
	}
	b, err := s.backend.Queues(r.Context(), account)
	if err != nil {
		return err
	}
	out := make([]wireQueue, len(b.Queues))
	for i, q := range b.Queues {
		out[i] = wireQueueOf(q)
	}
	return reply(w, map[string]any{"queues": out})
}

func (s *Server) updateQueue(w http.ResponseWriter, r *request) error {
	var body struct {
		Paused bool   `json:"paused"`
		Reason string `json:"reason"`
	}
	if err := r.decode(&body); err != nil {
		return err
	}
	name := r.param("queue")
	var err error
	if body.Paused {
		err = s.backend.PauseQueue(r.Context(), name, r.Identity.User, body.Reason)
	} else {
		err = s.backend.ResumeQueue(r.Context(), name)
	}
	if err != nil {
		return err
	}
	b, err := s.backend.Queues(r.Context(), "")
	if err != nil {
		return err
	}
	return reply(w, wireQueueOf(b.Of(name)))
}

// wireSample is a span of a queue's history on the wire.
type wireSample struct {
	At      string `json:"at"`
	Waiting int64  `json:"waiting"`
	Running int64  `json:"running"`
	Done    int64  `json:"done"`
	Failed  int64  `json:"failed"`
	Retried int64  `json:"retried"`
}

func (s *Server) getQueueHistory(w http.ResponseWriter, r *request) error {
	name := r.param("queue")
	if !engine.KnownQueue(name) {
		return engine.NotFoundf("There is no queue %s.", name)
	}
	span := time.Duration(r.queryInt("minutes", 30)) * time.Minute
	list, err := s.backend.QueueHistory(r.Context(), name, time.Now().UTC().Add(-24*time.Hour).Truncate(span), span)
	if err != nil {
		return err
	}
	out := make([]wireSample, len(list))
	for i, v := range list {
		out[i] = wireSample{At: stamp(v.At), Waiting: v.Waiting, Running: v.Leased, Done: v.Done, Failed: v.Failed, Retried: v.Retried}
	}
	return reply(w, map[string]any{"queue": name, "spans": out})
}

// wireMessage is a message on the wire.
type wireMessage struct {
	ID          int64           `json:"id"`
	Queue       string          `json:"queue"`
	UserID      string          `json:"userId"`
	Subject     string          `json:"subject"`
	Name        *string         `json:"name"`
	State       string          `json:"state"`
	Why         wireWait        `json:"why"`
	Attempt     int             `json:"attempt"`
	MaxAttempts int             `json:"max_attempts"`
	Host        *string         `json:"host"`
	LeasedBy    *string         `json:"leased_by"`
	LeasedUntil *string         `json:"leased_until"`
	AvailableAt string          `json:"available_at"`
	CreatedAt   string          `json:"created_at"`
	LastError   *string         `json:"last_error"`
	Stage       *string         `json:"stage"`
	Payload     json.RawMessage `json:"payload"`
}

type wireWait struct {
	Code  string  `json:"code"`
	Text  string  `json:"text"`
	Until *string `json:"until"`
	Stuck bool    `json:"stuck"`
}

func wireMessageOf(m engine.QueueMessage, b engine.QueueBoard) wireMessage {
	why := m.Why(b.Of(m.Queue), b.Now)
	v := wireMessage{
		ID: m.ID, Queue: m.Queue, UserID: m.Account, Subject: m.Subject, Name: orNil(m.Name), State: string(m.State),
		Why:     wireWait{Code: why.Code, Text: why.Text, Until: stampOrNil(why.Until), Stuck: why.Stuck},
		Attempt: m.Attempt, MaxAttempts: m.MaxAttempts, Host: orNil(m.Host), LeasedBy: orNil(m.LeasedBy), LeasedUntil: stampOrNil(m.LeasedUntil),
		AvailableAt: stamp(m.AvailableAt), CreatedAt: stamp(m.CreatedAt), LastError: orNil(m.LastError), Payload: m.Payload,
	}
	if m.Progress != nil {
		v.Stage = orNil(string(m.Progress.Stage))
	}
	return v
}

func (s *Server) listQueueMessages(w http.ResponseWriter, r *request) error {
	account, err := reach(r, r.queryBool("everyone", false), "listQueues")
	if err != nil {
		return err
	}
	f := engine.MessageFilter{
		Account: account, Queue: r.queryText("queue"), State: engine.MessageState(r.queryText("state")), Text: r.queryText("text"),
		After: int64(r.queryInt("after", 0)), Limit: r.queryInt("limit", 100),
	}
	list, err := s.backend.Messages(r.Context(), f)
	if err != nil {
		return err
	}
	total, err := s.backend.CountMessages(r.Context(), f)
	if err != nil {
		return err
	}
	b, err := s.backend.Queues(r.Context(), account)
	if err != nil {
		return err
	}
	out := make([]wireMessage, len(list))
	for i, m := range list {
		out[i] = wireMessageOf(m, b)
	}
	var next *int64
	if len(list) == f.Limit && len(list) > 0 {
		next = &list[len(list)-1].ID
	}
	return reply(w, map[string]any{"messages": out, "total_count": total, "next_after": next})
}

// messageID reads the id in the path; no message has one that is no number.
func messageID(r *request) (int64, error) {
	id, err := strconv.ParseInt(r.param("messageId"), 10, 64)
	if err != nil {
		return 0, engine.NotFoundf("There is no message %s in the queues.", r.param("messageId"))
	}
	return id, nil
}

func (s *Server) getQueueMessage(w http.ResponseWriter, r *request) error {
	account, err := reach(r, r.queryBool("everyone", false), "listQueues")
	if err != nil {
		return err
	}
	id, err := messageID(r)
	if err != nil {
		return err
	}
	m, err := s.backend.Message(r.Context(), account, id)
	if err != nil {
		return err
	}
	b, err := s.backend.Queues(r.Context(), account)
	if err != nil {
		return err
	}
	return reply(w, wireMessageOf(m, b))
}

func (s *Server) alterMessages(w http.ResponseWriter, r *request) error {
	var body struct {
		Action   string  `json:"action"`
		IDs      []int64 `json:"ids"`
		Queue    string  `json:"queue"`
		State    string  `json:"state"`
		Text     string  `json:"text"`
		Everyone bool    `json:"everyone"`
		DryRun   bool    `json:"dry_run"`
	}
	if err := r.decode(&body); err != nil {
		return err
	}
	account, err := reach(r, body.Everyone, "updateMessages")
	if err != nil {
		return err
	}
	f := engine.MessageFilter{Account: account, IDs: body.IDs, Queue: body.Queue, State: engine.MessageState(body.State), Text: body.Text}
	matched, err := s.backend.CountMessages(r.Context(), f)
	if err != nil {
		return err
	}
	var done engine.MessagesDone
	if !body.DryRun {
		if done, err = s.backend.AlterMessages(r.Context(), engine.MessageAction(body.Action), f, r.Identity.User); err != nil {
			return err
		}
	}
	return reply(w, map[string]any{"matched": matched, "done": done.Done, "left": done.Left, "undo": orNil(done.Undo)})
}

func (s *Server) undoMessages(w http.ResponseWriter, r *request) error {
	var body struct {
		Undo     string `json:"undo"`
		Everyone bool   `json:"everyone"`
	}
	if err := r.decode(&body); err != nil {
		return err
	}
	account, err := reach(r, body.Everyone, "updateMessages")
	if err != nil {
		return err
	}
	n, err := s.backend.UndoDrop(r.Context(), account, body.Undo)
	if err != nil {
		return err
	}
	return reply(w, map[string]any{"done": n})
}
