package remote

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"time"

	"windlass/internal/engine"
)

type wireQueue struct {
	Name     string `json:"name"`
	Waiting  int64  `json:"waiting"`
	Delayed  int64  `json:"delayed"`
	Running  int64  `json:"running"`
	Troubled int64  `json:"troubled"`
	Oldest   stamp  `json:"oldest_at"`
	DoneHour int64  `json:"done_last_hour"`
	FailDay  int64  `json:"failed_last_day"`
	RetryDay int64  `json:"retried_last_day"`
	Paused   *struct {
		By     string `json:"by"`
		Reason string `json:"reason"`
		At     stamp  `json:"at"`
	} `json:"paused"`
	Workers []struct {
		ID    string `json:"id"`
		Host  string `json:"host"`
		Hands int    `json:"hands"`
		Since stamp  `json:"since"`
		Seen  stamp  `json:"seen_at"`
	} `json:"workers"`
}

// everyone says whether a question is about all accounts, and in whose name.
func everyone(account string) url.Values {
	return url.Values{"everyone": {strconv.FormatBool(account == "")}}
}

// Queues is the state of all queues. What other accounts keep the workers busy
// with is told only to those who may see it: the running ones stand for it.
func (c *Client) Queues(ctx context.Context, account string) (engine.QueueBoard, error) {
	var body struct {
		Queues []wireQueue `json:"queues"`
	}
	err := c.beyond(ctx, "GET /console/queues", call{query: everyone(account), account: account, out: &body})
	b := engine.QueueBoard{Now: time.Now()}
	for _, w := range body.Queues {
		q := engine.Queue{
			Name: w.Name, Waiting: w.Waiting, Delayed: w.Delayed, Running: w.Running, Troubled: w.Troubled, Oldest: w.Oldest.Time,
			Busy: w.Running, DoneHour: w.DoneHour, FailDay: w.FailDay, RetryDay: w.RetryDay,
		}
		if p := w.Paused; p != nil {
			q.Paused = &engine.QueuePause{By: p.By, Reason: p.Reason, At: p.At.Time}
		}
		for _, v := range w.Workers {
			q.Workers = append(q.Workers, engine.QueueWorker{ID: v.ID, Host: v.Host, Hands: v.Hands, Since: v.Since.Time, Seen: v.Seen.Time})
		}
		b.Queues = append(b.Queues, q)
	}
	return b, err
}

// QueueHistory lists the spans of the last day.
func (c *Client) QueueHistory(ctx context.Context, queue string, since time.Time, span time.Duration) ([]engine.QueueSample, error) {
	var body struct {
		Spans []struct {
			At      stamp `json:"at"`
			Waiting int64 `json:"waiting"`
			Running int64 `json:"running"`
			Done    int64 `json:"done"`
			Failed  int64 `json:"failed"`
			Retried int64 `json:"retried"`
		} `json:"spans"`
	}
	q := url.Values{"minutes": {strconv.Itoa(int(span.Minutes()))}}
	err := c.beyond(ctx, "GET /console/queues/{queue}/history", call{query: q, out: &body}, queue)
	var list []engine.QueueSample
	for _, w := range body.Spans {
		if !w.At.Before(since) {
			list = append(list, engine.QueueSample{Queue: queue, At: w.At.Time, Waiting: w.Waiting, Leased: w.Running, Done: w.Done, Failed: w.Failed, Retried: w.Retried})
		}
	}
	return list, err
}

// PauseQueue stops a queue from being worked off.
func (c *Client) PauseQueue(ctx context.Context, queue, _, reason string) error {
	body := map[string]any{"paused": true, "reason": reason}
	return c.changed(ctx, "PUT /console/queues/{queue}", call{body: body}, engine.ChangeJob, "", queue)
}

// ResumeQueue lets it go on.
func (c *Client) ResumeQueue(ctx context.Context, queue string) error {
	return c.changed(ctx, "PUT /console/queues/{queue}", call{body: map[string]any{"paused": false}}, engine.ChangeJob, "", queue)
}

type wireMessage struct {
	ID          int64           `json:"id"`
	Queue       string          `json:"queue"`
	UserID      string          `json:"userId"`
	Subject     string          `json:"subject"`
	Name        string          `json:"name"`
	State       string          `json:"state"`
	Attempt     int             `json:"attempt"`
	MaxAttempts int             `json:"max_attempts"`
	Host        string          `json:"host"`
	LeasedBy    string          `json:"leased_by"`
	LeasedUntil stamp           `json:"leased_until"`
	AvailableAt stamp           `json:"available_at"`
	CreatedAt   stamp           `json:"created_at"`
	LastError   string          `json:"last_error"`
	Stage       string          `json:"stage"`
	Payload     json.RawMessage `json:"payload"`
}

func messageOf(w wireMessage) engine.QueueMessage {
	m := engine.QueueMessage{State: engine.MessageState(w.State), Name: w.Name}
	m.ID, m.Queue, m.Account, m.Subject, m.Attempt, m.MaxAttempts, m.Host = w.ID, w.Queue, w.UserID, w.Subject, w.Attempt, w.MaxAttempts, w.Host
	m.LeasedBy, m.LeasedUntil, m.AvailableAt, m.CreatedAt = w.LeasedBy, w.LeasedUntil.Time, w.AvailableAt.Time, w.CreatedAt.Time
	m.LastError, m.Payload = clean(w.LastError), w.Payload
	if w.Stage != "" {
		m.Progress = &engine.Progress{Stage: engine.Stage(w.Stage), Attempt: w.Attempt, Attempts: w.MaxAttempts, Worker: engine.HostOf(w.LeasedBy)}
	}
	return m
}

func (c *Client) messages(ctx context.Context, f engine.MessageFilter) ([]engine.QueueMessage, int, error) {
	if len(f.IDs) > 0 {
		return c.messagesByID(ctx, f)
	}
	var body struct {
		Messages []wireMessage `json:"messages"`
		Total    int           `json:"total_count"`
	}
	q := set(everyone(f.Account), "queue", f.Queue, "state", string(f.State), "text", f.Text)
	if f.After > 0 {
		q.Set("after", strconv.FormatInt(f.After, 10))
	}
	if f.Limit > 0 {
		q.Set("limit", strconv.Itoa(min(f.Limit, 1000)))
	}
	err := c.beyond(ctx, "GET /console/messages", call{query: q, account: f.Account, out: &body})
	list := make([]engine.QueueMessage, 0, len(body.Messages))
	for _, w := range body.Messages {
		list = append(list, messageOf(w))
	}
	return list, body.Total, err
}

// messagesByID asks for each: the list has no filter of ids.
func (c *Client) messagesByID(ctx context.Context, f engine.MessageFilter) ([]engine.QueueMessage, int, error) {
	var list []engine.QueueMessage
	for _, id := range f.IDs[:min(len(f.IDs), maxDeletes)] {
		m, err := c.Message(ctx, f.Account, id)
		switch {
		case err == nil && (f.Queue == "" || m.Queue == f.Queue) && (f.State == "" || m.State == f.State):
			list = append(list, m)
		case err != nil && !isNotFound(err):
			return nil, 0, err
		}
	}
	return list, len(list), nil
}

// Messages lists one page, the oldest first.
func (c *Client) Messages(ctx context.Context, f engine.MessageFilter) ([]engine.QueueMessage, error) {
	list, _, err := c.messages(ctx, f)
	return list, err
}

// CountMessages counts them.
func (c *Client) CountMessages(ctx context.Context, f engine.MessageFilter) (int, error) {
	f.Limit, f.After = 1, 0
	_, n, err := c.messages(ctx, f)
	return n, err
}

// Message is one of them.
func (c *Client) Message(ctx context.Context, account string, id int64) (engine.QueueMessage, error) {
	var w wireMessage
	err := c.beyond(ctx, "GET /console/messages/{messageId}", call{query: everyone(account), account: account, out: &w}, strconv.FormatInt(id, 10))
	return messageOf(w), absent(err, "There is no message %d in the queues.", id)
}

// AlterMessages does something to those of a filter.
func (c *Client) AlterMessages(ctx context.Context, do engine.MessageAction, f engine.MessageFilter, _ string) (engine.MessagesDone, error) {
	body := map[string]any{"action": do, "everyone": f.Account == ""}
	for name, v := range map[string]string{"queue": f.Queue, "state": string(f.State), "text": f.Text} {
		if v != "" {
			body[name] = v
		}
	}
	if len(f.IDs) > 0 {
		body["ids"] = f.IDs
	}
	var done struct {
		Done, Left int
		Undo       *string
	}
	err := c.changed(ctx, "POST /console/messages/actions", call{body: body, account: f.Account, out: &done}, engine.ChangeJob, "")
	return engine.MessagesDone{Done: done.Done, Left: done.Left, Undo: text(done.Undo)}, err
}

// UndoDrop puts dropped messages back.
func (c *Client) UndoDrop(ctx context.Context, account, batch string) (int, error) {
	var done struct{ Done int }
	body := map[string]any{"undo": batch, "everyone": account == ""}
	err := c.changed(ctx, "POST /console/messages/undo", call{body: body, account: account, out: &done}, engine.ChangeJob, "")
	return done.Done, err
}
