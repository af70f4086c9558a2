package bff

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates"
	"windlass/web/templates/view"
)

// Queues is what the queue pages ask of an engine. An empty account stands for
// all of them.
type Queues interface {
	Queues(ctx context.Context, account string) (engine.QueueBoard, error)
	// QueueHistory lists the spans since a moment, oldest first; those without
	// a sample are left out.
	QueueHistory(ctx context.Context, queue string, since time.Time, span time.Duration) ([]engine.QueueSample, error)
	PauseQueue(ctx context.Context, queue, by, reason string) error
	ResumeQueue(ctx context.Context, queue string) error
	// Messages lists one page, the oldest first.
	Messages(ctx context.Context, f engine.MessageFilter) ([]engine.QueueMessage, error)
	CountMessages(ctx context.Context, f engine.MessageFilter) (int, error)
	Message(ctx context.Context, account string, id int64) (engine.QueueMessage, error)
	// AlterMessages does something to those of a filter that it applies to.
	AlterMessages(ctx context.Context, do engine.MessageAction, f engine.MessageFilter, by string) (engine.MessagesDone, error)
	// UndoDrop puts dropped messages back and tells how many.
	UndoDrop(ctx context.Context, account, batch string) (int, error)
}

const (
	messagesPage = 50
	// runningShown bounds what is shown in the hands of workers.
	runningShown = 100
)

func (s *Server) queueRoutes(r fiber.Router) {
	r.Get("/queue", s.listQueue)
	r.Get("/queue/confirm", s.confirmMessages)
	r.Post("/queue/act", s.may("updateMessages"), s.actOnMessage)
	r.Post("/queue/bulk", s.may("updateMessages"), s.bulkMessages)
	r.Post("/queue/undo/:batch", s.may("updateMessages"), s.undoMessages)
	r.Post("/queue/pause", s.mayAdminister("updateQueue"), s.pauseQueue)
	r.Post("/queue/resume", s.mayAdminister("updateQueue"), s.resumeQueue)
}

// reach is the account whose messages a user sees: the own, or all.
func (s *Server) reach(c *fiber.Ctx) string {
	if who := s.who(c); !who.May(engine.SystemDomain, "listQueues") {
		return who.Account
	}
	return ""
}

// messageFilter reads the list's query.
func messageFilter(q url.Values) (engine.MessageFilter, error) {
	get := func(k string) string { return strings.TrimSpace(q.Get(k)) }
	f := engine.MessageFilter{Queue: get("queue"), State: engine.MessageState(get("state")), Text: get("q"), Limit: messagesPage}
	switch {
	case f.Queue != "" && !engine.KnownQueue(f.Queue):
		return f, engine.Invalidf("There is no queue %q.", f.Queue)
	case f.State != "" && !slices.Contains(engine.MessageStates, f.State):
		return f, engine.Invalidf("There is no state %q.", f.State)
	case len(f.Text) > 512:
		return f, engine.Invalidf("A filter may have 512 characters, and not more.")
	}
	if text := get("after"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			return f, engine.Invalidf("after: %q is no number of a message.", text)
		}
		f.After = n
	}
	return f, nil
}

func (s *Server) listQueue(c *fiber.Ctx) error {
	q, who, ctx := query(c), s.who(c), c.UserContext()
	f, err := messageFilter(q)
	if err != nil {
		return err
	}
	now := s.clock(c)
	f.Limit = pageSize(c, f.Limit)
	f.Account = s.reach(c)
	in := present.QueueIn{
		Filter: f, Query: q, Everyone: f.Account == "", API: c.BaseURL(), User: who.User,
		May: who.May(who.Home(), "updateMessages"), Manage: who.May(engine.SystemDomain, "updateQueue"),
	}
	if in.Board, err = s.engine.Queues(ctx, f.Account); err != nil {
		return err
	}
	if in.Running, err = s.engine.Messages(ctx, engine.MessageFilter{Account: f.Account, State: engine.MessageRunning, Limit: runningShown}); err != nil {
		return err
	}
	if in.Messages, err = s.engine.Messages(ctx, f); err != nil {
		return err
	}
	if in.Total, err = s.engine.CountMessages(ctx, f); err != nil {
		return err
	}
	if in.Everyone {
		if in.History, err = s.engine.QueueHistory(ctx, in.Charted(), present.ChartSince(now.Now), present.ChartSpan); err != nil {
			return err
		}
	}
	if in.Open, err = s.openMessage(ctx, f.Account, q.Get("open")); err != nil {
		return err
	}
	return s.render(c, templates.Queue(s.page(c, "Queue", "queue"), present.Queue(in, now)))
}

// openMessage is the message of the drawer. One that is done closes it: that is
// what the one who watches it waits for.
func (s *Server) openMessage(ctx context.Context, account, text string) (*engine.QueueMessage, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return nil, nil
	}
	m, err := s.engine.Message(ctx, account, id)
	switch {
	case err == nil:
		return &m, nil
	case errors.Is(err, engine.ErrNotFound):
		return &engine.QueueMessage{Job: engine.Job{ID: id}}, nil
	}
	return nil, err
}

// actOnMessage does one thing to one message: the button says both, as
// retry:12.
func (s *Server) actOnMessage(c *fiber.Ctx) error {
	do, text, _ := strings.Cut(c.FormValue("do"), ":")
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return engine.Invalidf("Choose a message.")
	}
	return s.alterMessages(c, engine.MessageAction(do), engine.MessageFilter{IDs: []int64{id}}, queueBack(c.FormValue("back")))
}

// queueBack leads back to the list as it was, with no message open.
func queueBack(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Path != present.QueueHref {
		return present.QueueHref
	}
	q := u.Query()
	q.Del("open")
	if len(q) == 0 {
		return present.QueueHref
	}
	return present.QueueHref + "?" + q.Encode()
}

func (s *Server) alterMessages(c *fiber.Ctx, do engine.MessageAction, f engine.MessageFilter, back string) error {
	if !slices.Contains(engine.MessageActions, do) {
		return engine.Invalidf("Choose what to do with the messages.")
	}
	f.Account = s.reach(c)
	done, err := s.engine.AlterMessages(c.UserContext(), do, f, s.who(c).User)
	if err != nil {
		return err
	}
	undo := ""
	if done.Undo != "" {
		undo = "/queue/undo/" + url.PathEscape(done.Undo)
	}
	return s.done(c, back, present.MessagesDone(do, done), undo)
}

func (s *Server) undoMessages(c *fiber.Ctx) error {
	n, err := s.engine.UndoDrop(c.UserContext(), s.reach(c), param(c, "batch"))
	if err != nil {
		return err
	}
	return s.done(c, present.QueueHref, present.Plural(n, "message is", "messages are")+" back in the queue.", "")
}

func (s *Server) pauseQueue(c *fiber.Ctx) error {
	name := c.FormValue("name")
	if err := s.engine.PauseQueue(c.UserContext(), name, s.who(c).User, clip(strings.TrimSpace(c.FormValue("reason")), 500)); err != nil {
		return err
	}
	return s.done(c, queueBack(c.FormValue("back")), present.QueueName(name)+" is paused; what is running is finished.", "")
}

func (s *Server) resumeQueue(c *fiber.Ctx) error {
	name := c.FormValue("name")
	if err := s.engine.ResumeQueue(c.UserContext(), name); err != nil {
		return err
	}
	return s.done(c, queueBack(c.FormValue("back")), present.QueueName(name)+" goes on.", "")
}

// confirmMessages says exactly how many messages an action is about.
func (s *Server) confirmMessages(c *fiber.Ctx) error {
	q := query(c)
	v := view.BulkMessages{Do: q.Get("do"), Back: present.QueueHref}
	f, err := messageFilter(q)
	if err != nil {
		return err
	}
	f.Account, f.After = s.reach(c), 0
	if q.Get("all") != "" {
		keep := keepMessages(q)
		v.Query = "all=1"
		if keep != "" {
			v.Query, v.Back = keep, v.Back+"?"+keep
		}
	} else {
		f = engine.MessageFilter{Account: f.Account, IDs: messageIDs(q["id"])}
		for _, id := range f.IDs {
			v.IDs = append(v.IDs, strconv.FormatInt(id, 10))
		}
	}
	if v.Count, err = s.countAltered(c.UserContext(), engine.MessageAction(v.Do), f); err != nil {
		return err
	}
	if v.Count == 0 {
		return s.done(c, v.Back, present.NoneAltered(engine.MessageAction(v.Do)), "")
	}
	const named = 8 // more is a list nobody reads
	f.Limit = named
	list, err := s.engine.Messages(c.UserContext(), f)
	if err != nil {
		return err
	}
	for _, m := range list {
		v.Names = append(v.Names, present.MessageTitle(m))
	}
	if !present.BulkMessages(&v) {
		return engine.Invalidf("Choose what to do with the messages.")
	}
	return s.render(c, templates.BulkMessages(s.page(c, v.Title, "queue"), v))
}

// countAltered counts the messages of a filter that an action applies to: one
// that runs is not retried, and only those have a lease to release.
func (s *Server) countAltered(ctx context.Context, do engine.MessageAction, f engine.MessageFilter) (int, error) {
	running := f
	running.State = engine.MessageRunning
	free := f.State != "" && f.State != engine.MessageRunning
	switch {
	case do == engine.MessageRelease && free, do == engine.MessageRetry && f.State == engine.MessageRunning:
		return 0, nil
	case do == engine.MessageRelease:
		return s.engine.CountMessages(ctx, running)
	}
	n, err := s.engine.CountMessages(ctx, f)
	if err != nil || free || do != engine.MessageRetry {
		return n, err
	}
	held, err := s.engine.CountMessages(ctx, running)
	return max(n-held, 0), err
}

// keepMessages is the part of a query that selects messages.
func keepMessages(q url.Values) string {
	out := url.Values{}
	for _, k := range []string{"queue", "state", "q"} {
		if v := q.Get(k); v != "" {
			out.Set(k, v)
		}
	}
	return out.Encode()
}

// messageIDs reads what was ticked. It is never nil: nothing ticked is nothing,
// and not everything.
func messageIDs(list []string) []int64 {
	ids := []int64{}
	for _, text := range ticked(list) {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			ids = append(ids, n)
		}
	}
	return ids
}

func (s *Server) bulkMessages(c *fiber.Ctx) error {
	form, err := url.ParseQuery(string(c.Body()))
	if err != nil {
		return engine.Invalidf("The form is not validly encoded.")
	}
	f, back := engine.MessageFilter{IDs: messageIDs(form["id"])}, present.QueueHref
	if text := form.Get("query"); text != "" {
		q, err := url.ParseQuery(text)
		if err != nil {
			return engine.Invalidf("The filter is not validly encoded.")
		}
		if f, err = messageFilter(q); err != nil {
			return err
		}
		f.After, f.Limit = 0, 0
		if keep := keepMessages(q); keep != "" {
			back += "?" + keep
		}
	}
	return s.alterMessages(c, engine.MessageAction(form.Get("do")), f, back)
}
