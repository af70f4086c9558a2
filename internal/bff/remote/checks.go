package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"windlass/internal/engine"
)

// checkTime bounds the checks of a Windlass, which may ask registries.
const checkTime = 45 * time.Second

func checkQuery(q engine.CheckQuery) url.Values {
	v := url.Values{"fresh": {strconv.FormatBool(q.Fresh)}, "registries": {strconv.FormatBool(q.Reach)}}
	return set(v, "check", strings.Join(q.Only, ","))
}

// pages are where the subject of a check is seen.
var pages = map[string]string{
	engine.CheckServices: "services", engine.CheckHeartbeats: "services", engine.CheckClocks: "services", engine.CheckQueue: "queue",
	engine.CheckFeeds: "feeds", engine.CheckFeedFailure: "feeds", engine.CheckRegistries: "registries", engine.CheckImages: "images", engine.CheckErrors: "events",
}

// Checks asks a Windlass for its checks; of an engine that has none those are
// made which v1 has answers for.
func (c *Client) Checks(ctx context.Context, q engine.CheckQuery) ([]engine.Check, error) {
	var body struct {
		Checks []struct {
			ID       string `json:"id"`
			Title    string `json:"title"`
			Status   string `json:"status"`
			Summary  string `json:"summary"`
			Evidence []struct {
				Name   string `json:"name"`
				Value  string `json:"value"`
				At     stamp  `json:"at"`
				Status string `json:"status"`
			} `json:"evidence"`
			Next []struct {
				Text   string `json:"text"`
				Action string `json:"action"`
				Arg    string `json:"argument"`
			} `json:"next"`
			At   stamp `json:"checked_at"`
			Took int64 `json:"took_ms"`
		} `json:"checks"`
	}
	err := c.beyond(ctx, "GET /console/checks", call{query: checkQuery(q), account: q.Account, out: &body, timeout: checkTime})
	if errors.Is(err, engine.ErrUnsupported) {
		return c.plainChecks(ctx, q), err // and not all there are
	}
	var list []engine.Check
	for _, w := range body.Checks {
		v := engine.Check{ID: w.ID, Title: w.Title, Status: engine.CheckStatus(w.Status), Summary: w.Summary, At: w.At.Time, Took: time.Duration(w.Took) * time.Millisecond}
		for _, f := range w.Evidence {
			v.Facts = append(v.Facts, engine.CheckFact{Name: f.Name, Value: f.Value, At: f.At.Time, Status: engine.CheckStatus(f.Status)})
		}
		for _, s := range w.Next {
			v.Steps = append(v.Steps, engine.CheckStep{Text: s.Text, Do: engine.CheckAction(s.Action), Arg: s.Arg})
		}
		if page := pages[w.ID]; page != "" && v.Status.Gravity() > engine.CheckUnknown.Gravity() {
			v.Steps = append(v.Steps, engine.CheckStep{Text: "Open " + page, Place: engine.CheckPlace{Page: page}})
		}
		list = append(list, v)
	}
	return list, err
}

// plainChecks are the checks of the guide that v1 has answers for.
func (c *Client) plainChecks(ctx context.Context, q engine.CheckQuery) []engine.Check {
	var list []engine.Check
	for _, m := range []struct {
		id, title string
		check     func(context.Context, string, *engine.Check) error
	}{
		{engine.CheckAPI, "The API answers", c.checkAPI},
		{engine.CheckCredentials, "Your credential works", c.checkCredential},
		{engine.CheckServices, "Every service has a live instance", c.checkServices},
		{engine.CheckFeeds, "Feeds are on, synced and not stale", c.checkFeeds},
		{engine.CheckImages, "No image has failed", c.checkImages},
		{engine.CheckErrors, "No error events in the last hour", c.checkErrors},
	} {
		if len(q.Only) > 0 && !slices.Contains(q.Only, m.id) {
			continue
		}
		v := engine.Check{ID: m.id, Title: m.title, Status: engine.CheckPass, At: time.Now()}
		if err := m.check(ctx, q.Account, &v); err != nil {
			v.Status, v.Summary = engine.CheckFail, engine.MessageOf(err, "The engine could not be asked.")
			if errors.Is(err, engine.ErrForbidden) {
				v.Status = engine.CheckUnknown
			}
		}
		v.Took = time.Since(v.At)
		list = append(list, v)
	}
	return list
}

func (c *Client) checkAPI(ctx context.Context, _ string, v *engine.Check) error {
	var body struct {
		Service struct{ Version string }
		DB      struct {
			Schema string `json:"schema_version"`
		}
	}
	began := time.Now()
	if err := c.call(ctx, call{method: http.MethodGet, path: "/version", out: &body, as: nobody}); err != nil {
		return err
	}
	v.Summary = "The API answers."
	v.Facts = []engine.CheckFact{
		{Name: c.base.String(), Value: fmt.Sprintf("answered in %d ms", time.Since(began).Milliseconds()), Status: engine.CheckPass},
		{Name: "version", Value: clean(clip(body.Service.Version, 60))}, {Name: "schema", Value: clean(clip(body.DB.Schema, 60))},
	}
	return nil
}

func (c *Client) checkCredential(ctx context.Context, _ string, v *engine.Check) error {
	who, err := c.sessions.who(ctx, "")
	if err != nil {
		return err
	}
	id, err := c.identity(ctx, who)
	if err != nil {
		return err
	}
	v.Summary = fmt.Sprintf("The engine knows %s of the account %s.", id.User, id.Account)
	return nil
}

func (c *Client) checkServices(ctx context.Context, _ string, v *engine.Check) error {
	list, err := c.services(ctx)
	if err != nil {
		return err
	}
	up := map[string]bool{}
	for _, s := range list {
		f := engine.CheckFact{Name: s.Name, Value: string(s.State) + " on " + s.Host, Status: engine.CheckPass, Place: engine.CheckPlace{Page: "services", Of: s.Key()}}
		if !s.Up() {
			f.Status = engine.CheckFail
			if s.Detail.Message != "" {
				f.Value += ", " + s.Detail.Message
			}
			v.Steps = append(v.Steps, engine.CheckStep{Text: "Open " + s.Name + " on " + s.Host, Place: f.Place})
		}
		up[s.Name] = up[s.Name] || s.Up()
		v.Facts = append(v.Facts, f)
	}
	var missing []string
	for _, name := range engine.ServiceNames {
		if !up[name] {
			missing = append(missing, name)
		}
	}
	v.Summary = "Each service has an instance that is up."
	if len(missing) > 0 {
		v.Status, v.Summary = engine.CheckFail, "No instance is up of "+strings.Join(missing, ", ")+"."
	} else if len(v.Steps) > 0 {
		v.Status, v.Summary = engine.CheckWarn, "Each service has an instance that is up, and some instances are not."
	}
	return nil
}

// staleFeeds is the age from which on the data are called old.
const staleFeeds = 3 * 24 * time.Hour

func (c *Client) checkFeeds(ctx context.Context, _ string, v *engine.Check) error {
	feeds, err := c.Feeds(ctx)
	if err != nil {
		return err
	}
	var records int64
	var last time.Time
	place := engine.CheckPlace{Page: "feeds"}
	for _, f := range feeds {
		if !f.Enabled {
			v.Facts = append(v.Facts, engine.CheckFact{Name: f.Name, Value: "is switched off", Status: engine.CheckWarn, Place: place})
			continue
		}
		for _, g := range f.Groups {
			records += g.Records
			if g.LastSync.After(last) {
				last = g.LastSync
			}
		}
		if f.LastSync.IsZero() {
			v.Facts = append(v.Facts, engine.CheckFact{Name: f.Name, Value: "was never synced whole", Status: engine.CheckWarn, Place: place})
		} else {
			v.Facts = append(v.Facts, engine.CheckFact{Name: f.Name, Value: "synced", At: f.LastSync, Status: engine.CheckPass, Place: place})
			if f.LastSync.After(last) {
				last = f.LastSync
			}
		}
	}
	sync := engine.CheckStep{Text: "Sync the feeds now", Do: engine.DoSyncFeeds}
	switch {
	case records == 0:
		v.Status, v.Summary, v.Steps = engine.CheckFail, "There are no vulnerability data yet.", []engine.CheckStep{sync}
	case time.Since(last) > staleFeeds:
		v.Status, v.Summary, v.Steps = engine.CheckWarn, "The data were last synced more than three days ago.", []engine.CheckStep{sync}
	default:
		v.Summary = fmt.Sprintf("There are %d records.", records)
	}
	return nil
}

func (c *Client) checkImages(ctx context.Context, account string, v *engine.Check) error {
	states, err := c.ImageStates(ctx, account)
	if err != nil {
		return err
	}
	place := func(s engine.AnalysisState) engine.CheckPlace {
		return engine.CheckPlace{Page: "images", Args: map[string]string{"state": string(s)}}
	}
	for _, s := range engine.AnalysisStates {
		if states[s] > 0 {
			v.Facts = append(v.Facts, engine.CheckFact{Name: string(s), Value: strconv.Itoa(states[s]), Place: place(s)})
		}
	}
	v.Summary = "None has."
	if n := states[engine.Failed]; n > 0 {
		v.Status, v.Summary = engine.CheckWarn, fmt.Sprintf("%d could not be analyzed. Their events may say why.", n)
		v.Steps = []engine.CheckStep{{Text: "See them", Place: place(engine.Failed)}}
	}
	return nil
}

func (c *Client) checkErrors(ctx context.Context, account string, v *engine.Check) error {
	list, err := c.Events(ctx, account, engine.EventFilter{Level: engine.LevelError, Since: time.Now().Add(-time.Hour)}, engine.EventPage{Limit: 500})
	if err != nil {
		return err
	}
	counts := map[string]int{}
	for _, e := range list.Events {
		counts[e.Type]++
	}
	for _, name := range most(counts, 10) {
		v.Facts = append(v.Facts, engine.CheckFact{Name: name, Value: strconv.Itoa(counts[name]), Status: engine.CheckWarn,
			Place: engine.CheckPlace{Page: "events", Args: map[string]string{"type": name, "level": engine.LevelError}}})
	}
	v.Summary = "There were none."
	if n := len(list.Events); n > 0 {
		v.Status, v.Summary = engine.CheckWarn, fmt.Sprintf("There were %d.", n)
		v.Steps = []engine.CheckStep{{Text: "See them", Place: engine.CheckPlace{Page: "events", Args: map[string]string{"level": engine.LevelError}}}}
	}
	return nil
}

// RetryFailed analyzes the images that failed of a cause again.
func (c *Client) RetryFailed(ctx context.Context, account, cause string) (int, int64, error) {
	var done struct {
		Queued int
		Left   int64
	}
	q := call{query: url.Values{"cause": {cause}}, account: account, out: &done}
	err := c.changed(ctx, "POST /console/failed_images/retry", q, engine.ChangeImage, "")
	return done.Queued, done.Left, err
}

// SupportBundle passes on what a Windlass puts together.
func (c *Client) SupportBundle(ctx context.Context, w io.Writer, q engine.CheckQuery) error {
	return c.stream(ctx, "GET /console/support_bundle", call{query: checkQuery(q), account: q.Account, timeout: 2 * time.Minute}, w)
}
