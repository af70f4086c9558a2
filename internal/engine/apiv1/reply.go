package apiv1

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"time"
)

// response remembers whether a reply has begun and with which status.
type response struct {
	http.ResponseWriter
	status int
}

func (w *response) WriteHeader(code int) {
	if w.status == 0 {
		w.status = code
	}
	w.ResponseWriter.WriteHeader(code)
}

func (w *response) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *response) code() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}

// reply answers 200 with v as JSON; nil is the literal null.
func reply(w http.ResponseWriter, v any) error {
	body, err := encode(v)
	if err != nil {
		return fmt.Errorf("encode reply: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	_, err = w.Write(body)
	return err
}

// replyList answers 200 with a JSON array, written element by element, so that
// a long list is never whole in memory. An error before the first element is
// still an error reply; after it, the connection is broken off.
func replyList[T any](w http.ResponseWriter, items iter.Seq2[T, error]) error {
	return replyWrapped(w, "[", "]\n", items)
}

// replyNested is replyList for an array that stands in objects of one key each,
// which stand in an array: [{"a":{"b":[...]}}].
func replyNested[T any](w http.ResponseWriter, keys []string, items iter.Seq2[T, error]) error {
	before, after := "[", "]\n"
	for i, k := range keys {
		name, err := encode(k)
		if err != nil {
			return fmt.Errorf("encode reply: %w", err)
		}
		before += "{" + string(bytes.TrimSpace(name)) + ":"
		if after = "}" + after; i == len(keys)-1 {
			before, after = before+"[", "]"+after
		}
	}
	return replyWrapped(w, before, after, items)
}

func replyWrapped[T any](w http.ResponseWriter, before, after string, items iter.Seq2[T, error]) error {
	begun := false
	begin := func(lead string) error {
		if !begun {
			begun = true
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusOK)
		}
		_, err := w.Write([]byte(lead))
		return err
	}
	lead := before
	for v, err := range items {
		if err != nil {
			return err
		}
		body, err := encode(v)
		if err != nil {
			return fmt.Errorf("encode reply: %w", err)
		}
		if err := begin(lead); err != nil {
			return err
		}
		if _, err := w.Write(bytes.TrimSuffix(body, []byte("\n"))); err != nil {
			return err
		}
		lead = ","
	}
	if !begun {
		if err := begin(lead); err != nil {
			return err
		}
	}
	_, err := w.Write([]byte(after))
	return err
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // URLs of records stay readable
	err := e.Encode(v)
	return b.Bytes(), err
}

func writeJSON(w http.ResponseWriter, code int, v any) {
	body, err := encode(v)
	if err != nil { // only a detail that does not marshal: say the rest
		code, body = http.StatusInternalServerError, []byte(`{"message":"internal error","httpcode":500,"detail":{"error_codes":[]}}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	w.Write(body)
}

// stamp is a time of most records: whole seconds, with a Z.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// stampOrNil is stamp, or null for the zero time.
func stampOrNil(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := stamp(t)
	return &s
}

// stampMicro is a time of events: six fractional digits.
func stampMicro(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

// epochOrNil is whole seconds since 1970, or null for the zero time.
func epochOrNil(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	n := t.Unix()
	return &n
}

// orNil is null for an empty text.
func orNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// paged walks a list that the engine gives page by page, for operations of v1
// that have no paging: each fetch follows the cursor of the one before.
func paged[T, W any](wire func(T) W, fetch func(after string) ([]T, string, error)) iter.Seq2[W, error] {
	return func(yield func(W, error) bool) {
		for after := ""; ; {
			list, next, err := fetch(after)
			if err != nil {
				var none W
				yield(none, err)
				return
			}
			for _, v := range list {
				if !yield(wire(v), nil) {
					return
				}
			}
			if next == "" {
				return
			}
			after = next
		}
	}
}
