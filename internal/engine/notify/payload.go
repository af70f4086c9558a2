package notify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"windlass/internal/engine"
)

// envelope is what is posted, whatever it tells of. Times are seconds since
// 1970; tries is the last attempt's and max_tries that of giving up.
type envelope struct {
	QueueID     string  `json:"queueId"`
	UserID      string  `json:"userId"`
	DataID      string  `json:"dataId"`
	CreatedAt   int64   `json:"created_at"`
	LastUpdated int64   `json:"last_updated"`
	StateKey    string  `json:"record_state_key"`
	StateVal    *string `json:"record_state_val"`
	Tries       int64   `json:"tries"`
	MaxTries    int64   `json:"max_tries"`
	Data        data    `json:"data"`
}

type data struct {
	User    string         `json:"notification_user"`
	Email   string         `json:"notification_user_email"`
	Type    string         `json:"notification_type"`
	Payload map[string]any `json:"notification_payload"`
}

// body is a notification as it is posted. record gives an event its form on
// the wire.
func body(n engine.Notification, retry time.Duration, record func(engine.Event) any) ([]byte, error) {
	payload := map[string]any{}
	if n.Event != nil {
		raw, err := json.Marshal(record(*n.Event))
		if err != nil {
			return nil, fmt.Errorf("event record: %w", err)
		}
		if err := json.Unmarshal(raw, &payload); err != nil {
			return nil, fmt.Errorf("event record: %w", err)
		}
	} else {
		maps.Copy(payload, n.Payload)
		payload["subscription_key"] = n.Key
	}
	payload["notificationId"], payload["userId"] = n.ID, n.Account
	e := envelope{
		QueueID: n.Type, UserID: n.Account, DataID: n.ID, CreatedAt: n.CreatedAt.Unix(), LastUpdated: n.CreatedAt.Unix(),
		StateKey: "active", MaxTries: n.QueuedAt.Add(retry).Unix(),
		Data: data{User: n.Account, Email: n.Email, Type: n.Type, Payload: payload},
	}
	if n.Attempts > 1 { // the first attempt has none before it
		e.Tries = n.TriedAt.Unix()
		e.LastUpdated = e.Tries
	}
	return encode(e)
}

// encode leaves < and & as they are: addresses stay readable.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}
