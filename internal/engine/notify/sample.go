package notify

import (
	"context"
	"time"

	"windlass/internal/engine"
)

// testLife is how long a test notification claims to be tried.
const testLife = time.Hour

// testEnvelope lacks record_state_val, as v1's does.
type testEnvelope struct {
	QueueID     string `json:"queueId"`
	UserID      string `json:"userId"`
	DataID      string `json:"dataId"`
	CreatedAt   int64  `json:"created_at"`
	LastUpdated int64  `json:"last_updated"`
	StateKey    string `json:"record_state_key"`
	Tries       int64  `json:"tries"`
	MaxTries    int64  `json:"max_tries"`
	Data        data   `json:"data"`
}

// sample is the body of a test notification of a kind, at a moment. id makes
// the random ids in it.
func sample(kind, account, email string, now time.Time, id func() string) ([]byte, error) {
	annotations := []string{"test"}
	payload := map[string]any{
		"userId": account, "subscription_key": id(), "notificationId": id(), "subscription_type": kind, "annotations": annotations,
	}
	const digest = "test_image_digest"
	eval := func(state string) map[string]any {
		return map[string]any{"analysis_status": state, "annotations": annotations, "image_digest": digest}
	}
	switch kind {
	case engine.NotifyTag:
		payload["curr_eval"], payload["last_eval"] = []string{digest}, []string{digest}
	case engine.NotifyPolicy:
		pass := map[string]any{"image_digest": digest, "status": "pass"}
		payload["curr_eval"], payload["last_eval"] = pass, pass
	case engine.NotifyVulns:
		payload["diff_vulnerability_result"] = map[string]any{
			"added": []string{"test1"}, "updated": []string{"test2"}, "removed": []string{"test3"},
		}
		payload["image_digest"] = digest
	case engine.NotifyAnalysis:
		payload["curr_eval"], payload["last_eval"] = eval("analyzed"), eval("analyzing")
	}
	return encode(testEnvelope{
		QueueID: kind, UserID: account, DataID: id(), CreatedAt: now.Unix(), LastUpdated: now.Unix(),
		StateKey: "active", MaxTries: now.Add(testLife).Unix(),
		Data: data{User: account, Email: email, Type: kind, Payload: payload},
	})
}

// Test posts a test notification of a kind for an account to a webhook.
func (c *Client) Test(ctx context.Context, w engine.Webhook, account, email, kind string) (Answer, error) {
	raw, err := sample(kind, account, email, time.Now(), engine.NewUUID)
	if err != nil {
		return Answer{}, err
	}
	return c.Post(ctx, w, account, "test", raw)
}
