package apiv1

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"windlass/internal/engine"
)

// Checks is what the operations of the troubleshooting guide ask of the engine.
type Checks interface {
	// Checks makes the checks that a query asks for; engine.ErrInvalid for one
	// that there is not.
	Checks(ctx context.Context, q engine.CheckQuery) ([]engine.Check, error)
	// RetryFailed analyzes the images that failed of a cause again, so many at
	// a time; left are those for the next time.
	RetryFailed(ctx context.Context, account, cause string) (done int, left int64, err error)
	// SupportBundle writes a zip archive of what somebody who helps needs to
	// know, without secrets. It is an error only before the first byte, or when
	// w fails.
	SupportBundle(ctx context.Context, w io.Writer, q engine.CheckQuery) error
}

// checksTime is how long checks may take: registries are waited for.
const checksTime = 40 * time.Second

func (s *Server) checksOps() map[string]op {
	read := acct("listChecks")
	return map[string]op{
		"listChecks":        {perm: read, call: s.listChecks, timeout: checksTime},
		"getChecksReport":   {perm: read, call: s.checksReport, timeout: checksTime},
		"getSupportBundle":  {perm: admin("getSupportBundle"), call: s.supportBundle, timeout: bundleTime, heavy: true},
		"retryFailedImages": {perm: acct("createImage"), call: s.retryFailedImages},
	}
}

type checkJSON struct {
	ID       string          `json:"id"`
	Title    string          `json:"title"`
	Status   string          `json:"status"`
	Summary  string          `json:"summary"`
	Evidence []evidenceJSON  `json:"evidence"`
	Next     []checkStepJSON `json:"next"`
	At       string          `json:"checked_at"`
	Took     int64           `json:"took_ms"`
}

type evidenceJSON struct {
	Name   string  `json:"name"`
	Value  string  `json:"value"`
	At     *string `json:"at"`
	Status string  `json:"status"`
}

type checkStepJSON struct {
	Text   string `json:"text"`
	Action string `json:"action"`
	Arg    string `json:"argument"`
}

// checkQuery is what is asked for. Only who administers the whole engine learns
// of its hosts and its database.
func checkQuery(r *request) engine.CheckQuery {
	return engine.CheckQuery{
		Who: r.Identity, Account: r.Account, System: r.Identity.May(engine.SystemDomain, "listServices"),
		Only: r.queryList("check"), Fresh: r.queryBool("fresh", false), Reach: r.queryBool("registries", false),
	}
}

func (s *Server) listChecks(w http.ResponseWriter, r *request) error {
	list, err := s.backend.Checks(r.Context(), checkQuery(r))
	if err != nil {
		return err
	}
	out := make([]checkJSON, 0, len(list))
	for _, c := range list {
		out = append(out, checkOf(c))
	}
	return reply(w, map[string]any{"status": engine.WorstCheck(list), "checks": out})
}

func checkOf(c engine.Check) checkJSON {
	v := checkJSON{
		ID: c.ID, Title: c.Title, Status: string(c.Status), Summary: c.Summary, At: c.At.UTC().Format(time.RFC3339Nano),
		Took: c.Took.Milliseconds(), Evidence: []evidenceJSON{}, Next: []checkStepJSON{},
	}
	for _, f := range c.Facts {
		e := evidenceJSON{Name: f.Name, Value: f.Value, Status: string(f.Status)}
		if !f.At.IsZero() {
			at := f.At.UTC().Format(time.RFC3339Nano)
			e.At = &at
		}
		v.Evidence = append(v.Evidence, e)
	}
	for _, st := range c.Steps {
		v.Next = append(v.Next, checkStepJSON{Text: st.Text, Action: string(st.Do), Arg: st.Arg})
	}
	return v
}

func (s *Server) checksReport(w http.ResponseWriter, r *request) error {
	list, err := s.backend.Checks(r.Context(), checkQuery(r))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/markdown; charset=utf-8")
	w.WriteHeader(http.StatusOK)
	_, err = io.WriteString(w, engine.CheckReport(list, time.Now()))
	return err
}

// bundleTime is how long the making of a support bundle may take.
const bundleTime = 2 * time.Minute

func (s *Server) supportBundle(w http.ResponseWriter, r *request) error {
	name := "windlass-support-" + time.Now().UTC().Format("20060102-150405") + ".zip"
	return s.backend.SupportBundle(r.Context(), &attachment{w: w, media: "application/zip", name: name}, checkQuery(r))
}

// attachment sends its headers with the first byte, so that what goes wrong
// before is answered as an error.
type attachment struct {
	w           http.ResponseWriter
	media, name string
	begun       bool
}

func (a *attachment) Write(p []byte) (int, error) {
	if !a.begun {
		a.begun = true
		a.w.Header().Set("Content-Type", a.media)
		a.w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", a.name))
		a.w.Header().Set("Cache-Control", "no-store")
		a.w.WriteHeader(http.StatusOK)
	}
	return a.w.Write(p)
}

func (s *Server) retryFailedImages(w http.ResponseWriter, r *request) error {
	cause := r.queryText("cause")
	if _, known := engine.CauseByCode(cause); !known {
		return engine.Invalidf("%q is not a cause of failure", clip(cause, 64))
	}
	done, left, err := s.backend.RetryFailed(r.Context(), r.Account, cause)
	if err != nil {
		return err
	}
	return reply(w, map[string]any{"queued": done, "left": left})
}
