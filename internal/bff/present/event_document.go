package present

import (
	"bytes"
	"encoding/json"
	"strings"

	"windlass/internal/engine"
)

const microLayout = "2006-01-02T15:04:05.000000Z"

// eventDocument is the event as the v1 API gives it, without its envelope.
func eventDocument(e engine.Event) map[string]any {
	details := map[string]any{}
	for k, v := range e.Details {
		details[k] = v
	}
	return map[string]any{
		"type": e.Type, "level": e.Level, "message": e.Message, "details": details,
		"timestamp": e.At.UTC().Format(microLayout),
		"resource":  map[string]any{"user_id": e.Account, "id": orNull(e.ResourceID), "type": e.ResourceType},
		"source": map[string]any{
			"servicename": e.Service, "hostid": e.Host, "base_url": orNull(e.BaseURL), "request_id": orNull(e.RequestID),
		},
	}
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// EventYAML is the event as `anchore-cli event get` prints it.
func EventYAML(e engine.Event) string {
	doc := eventDocument(e)
	// Details may hold types that only their JSON form has in common.
	if raw, err := json.Marshal(doc["details"]); err == nil {
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		var plain any
		if d.Decode(&plain) == nil {
			doc["details"] = plain
		}
	}
	return yamlText(doc)
}

// EventRecord is the whole record as the API lists it.
func EventRecord(e engine.Event) map[string]any {
	return map[string]any{
		"generated_uuid": e.ID, "created_at": e.StoredAt.UTC().Format(microLayout), "event": eventDocument(e),
	}
}

// EventJSON is the whole record, indented.
func EventJSON(e engine.Event) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(EventRecord(e)); err != nil {
		return err.Error()
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// EventCause is the reason that an event's details give, empty when none.
func EventCause(e engine.Event) string {
	for _, key := range []string{"cause", "error", "msg", "message", "reason"} {
		if s, ok := e.Details[key].(string); ok && strings.TrimSpace(s) != "" {
			return strings.TrimSpace(s)
		}
	}
	return ""
}
