package apiv1

import (
	"net/http"
	"strconv"

	"windlass/internal/engine"
)

// Notification is a notification to one webhook on the wire.
type Notification struct {
	ID             int64   `json:"id"`
	NotificationID string  `json:"notificationId"`
	UserID         string  `json:"userId"`
	Type           string  `json:"type"`
	Key            string  `json:"subscription_key"`
	Webhook        string  `json:"webhook"`
	State          string  `json:"state"`
	Attempts       int     `json:"attempts"`
	LastStatus     *int    `json:"last_status"`
	LastError      *string `json:"last_error"`
	CreatedAt      string  `json:"created_at"`
	QueuedAt       string  `json:"queued_at"`
	TriedAt        *string `json:"tried_at"`
	NextTryAt      *string `json:"next_try_at"`
	EndedAt        *string `json:"ended_at"`
	Payload        any     `json:"payload,omitempty"`

	Tries []wireDeliveryTry `json:"tries,omitempty"`
}

// wireDeliveryTry is an attempt to deliver on the wire.
type wireDeliveryTry struct {
	At     string  `json:"at"`
	Millis int64   `json:"took_ms"`
	Status *int    `json:"status"`
	Error  *string `json:"error"`
}

func wireNotification(n engine.Notification) Notification {
	v := Notification{
		ID: n.Seq, NotificationID: n.ID, UserID: n.Account, Type: n.Type, Key: n.Key, Webhook: n.Webhook, State: string(n.State),
		Attempts: n.Attempts, LastError: orNil(n.Error), CreatedAt: stamp(n.CreatedAt), QueuedAt: stamp(n.QueuedAt),
		TriedAt: stampOrNil(n.TriedAt), EndedAt: stampOrNil(n.EndedAt),
	}
	if n.Status != 0 {
		v.LastStatus = &n.Status
	}
	if n.State == engine.DeliveryPending {
		v.NextTryAt = stampOrNil(n.NextTry)
	}
	for _, t := range n.Tries {
		w := wireDeliveryTry{At: stamp(t.At), Millis: t.Took.Milliseconds(), Error: orNil(t.Error)}
		if t.Status != 0 {
			w.Status = &t.Status
		}
		v.Tries = append(v.Tries, w)
	}
	if n.Event != nil {
		v.Payload = eventRecord(*n.Event)
	} else if n.Payload != nil {
		v.Payload = n.Payload
	}
	return v
}

func (s *Server) listNotifications(w http.ResponseWriter, r *request) error {
	limit := r.queryInt("limit", 100)
	f := engine.NotificationFilter{
		State: engine.DeliveryState(r.queryText("state")), Type: r.queryText("type"), Key: r.queryText("key"),
		Webhook: r.queryText("webhook"), After: int64(r.queryInt("after", 0)), Limit: limit + 1,
	}
	list, err := s.backend.Notifications(r.Context(), r.Account, f)
	if err != nil {
		return err
	}
	page := struct {
		Results []Notification `json:"results"`
		Next    *int64         `json:"next"`
	}{Results: []Notification{}}
	if len(list) > limit { // there is one more
		list = list[:limit]
		page.Next = &list[limit-1].Seq
	}
	for _, n := range list {
		page.Results = append(page.Results, wireNotification(n))
	}
	return reply(w, page)
}

func (s *Server) getNotification(w http.ResponseWriter, r *request) error {
	n, err := s.backend.Notification(r.Context(), r.Account, notificationSeq(r))
	if err != nil {
		return named(err, noNotification, "")
	}
	return reply(w, wireNotification(n))
}

func (s *Server) redeliverNotification(w http.ResponseWriter, r *request) error {
	n, err := s.backend.Redeliver(r.Context(), r.Account, notificationSeq(r))
	if err != nil {
		return named(err, noNotification, "")
	}
	return reply(w, wireNotification(n))
}

const noNotification = "notification not found"

// notificationSeq is a number by the document; one beyond all numbers is that
// of no notification.
func notificationSeq(r *request) int64 {
	n, err := strconv.ParseInt(r.param("notificationSeq"), 10, 64)
	if err != nil {
		return 0
	}
	return n
}
