package apiv1

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"

	"windlass/internal/engine"
)

// queryPage is the page a query asks for. Without a limit there is one page,
// whichever is asked for.
func queryPage(r *request) engine.QueryPage {
	p := engine.QueryPage{Number: r.queryInt("page", 1), Limit: r.queryInt("limit", 0)}
	if p.Limit <= 0 {
		return engine.QueryPage{Number: 1}
	}
	return p
}

// replyPage answers 200 with one page of a query. The list is written element
// by element as walk emits it, and the counts, which v1 has in the same object,
// behind it: an answer of 100,000 images is never whole in memory. An error
// before the first element is still an error reply.
func replyPage(w http.ResponseWriter, key string, p engine.QueryPage, walk func(emit func(any) error) (int, error)) error {
	count := 0
	begin := func() error {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusOK)
		_, err := fmt.Fprintf(w, `{%q:[`, key)
		return err
	}
	total, err := walk(func(v any) error {
		body, err := encode(v)
		if err != nil {
			return fmt.Errorf("encode reply: %w", err)
		}
		if count == 0 {
			err = begin()
		} else {
			_, err = w.Write([]byte{','})
		}
		if err != nil {
			return err
		}
		count++
		_, err = w.Write(bytes.TrimSuffix(body, []byte{'\n'}))
		return err
	})
	if err != nil {
		return err
	}
	if count == 0 {
		if err := begin(); err != nil {
			return err
		}
	}
	next := ""
	if p.Limit > 0 && p.Number <= (total-1)/p.Limit && total > 0 {
		next = fmt.Sprintf(`,"next_page":%q`, strconv.Itoa(p.Number+1))
	}
	_, err = fmt.Fprintf(w, `],"page":%q,"returned_count":%d,"total_count":%d%s}`+"\n", strconv.Itoa(p.Number), count, total, next)
	return err
}
