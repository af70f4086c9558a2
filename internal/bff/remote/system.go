package remote

import (
	"context"
	"net/http"
	"time"

	"windlass/internal/engine"
)

type wireService struct {
	Host    string `json:"hostid"`
	Name    string `json:"servicename"`
	BaseURL string `json:"base_url"`
	Status  bool   `json:"status"`
	Message string `json:"status_message"`
	Detail  struct {
		Up        bool   `json:"up"`
		Available bool   `json:"available"`
		Busy      bool   `json:"busy"`
		Message   string `json:"message"`
		Version   string `json:"version"`
		DBVersion string `json:"db_version"`
	} `json:"service_detail"`
}

// Services lists the records of all services. v1 does not tell when one was
// heard of last; since when it is as it is, is what was seen from here.
func (c *Client) Services(ctx context.Context) ([]engine.Service, error) {
	return kept(ctx, c, "", "services", 500*time.Millisecond, c.services)
}

func (c *Client) services(ctx context.Context) ([]engine.Service, error) {
	var all struct {
		States []wireService `json:"service_states"`
	}
	if err := c.get(ctx, "", "/system", nil, &all); err != nil {
		return nil, err
	}
	list := make([]engine.Service, 0, len(all.States))
	for _, w := range all.States {
		list = append(list, serviceOf(w))
	}
	c.health.note(list, time.Now())
	return list, nil
}

func serviceOf(w wireService) engine.Service {
	s := engine.Service{
		Host: w.Host, Name: w.Name, BaseURL: w.BaseURL, State: engine.ServiceState(w.Message),
		Detail: engine.ServiceDetail{
			Up: w.Detail.Up, Available: w.Detail.Available, Busy: w.Detail.Busy, Message: clean(w.Detail.Message),
			Version: w.Detail.Version, DBVersion: w.Detail.DBVersion,
		},
	}
	switch s.State {
	case engine.ServiceRegistered, engine.ServiceUnavailable, engine.ServiceOrphaned, engine.ServiceAvailable:
	default:
		s.State = engine.ServiceUnavailable
		if w.Status {
			s.State = engine.ServiceAvailable
		}
	}
	if s.State == engine.ServiceAvailable && !w.Status {
		s.State = engine.ServiceUnavailable
	}
	return s
}

// RemoveService forgets a record.
func (c *Client) RemoveService(ctx context.Context, name, host string) error {
	err := c.call(ctx, call{method: http.MethodDelete, path: path("system", "services", name, host)})
	if err == nil {
		c.altered("", engine.ChangeService, name+"/"+host)
	}
	return absent(err, "There is no record of %s on %s.", name, host)
}

// overviewEvents is how many of the newest events the overview is made from.
const overviewEvents = 1000

// Overview is put together from lists: v1 has no sums. Severities of all images
// would be a question for each of them, and are left out.
func (c *Client) Overview(ctx context.Context, account string) (engine.Overview, error) {
	return kept(ctx, c, account, "overview", 2*time.Second, func(ctx context.Context) (engine.Overview, error) {
		o := engine.Overview{Unsummed: true}
		states, err := c.ImageStates(ctx, account)
		if err != nil {
			return o, err
		}
		o.Images = map[engine.AnalysisState]int64{}
		for state, n := range states {
			o.Images[state] = int64(n)
		}
		o.Queues = []engine.QueueStat{{Queue: engine.QueueAnalyze, Waiting: o.Images[engine.NotAnalyzed], Leased: o.Images[engine.Analyzing]}}
		if err := c.overviewOfEvents(ctx, account, &o); err != nil {
			return o, err
		}
		feeds, err := c.Feeds(ctx)
		if err != nil {
			return o, err
		}
		for _, f := range feeds {
			if f.Enabled {
				o.Feeds++
			}
			if !f.LastSync.IsZero() {
				o.FeedsSynced++
			}
			for _, g := range f.Groups {
				o.FeedRecords += g.Records
			}
		}
		status, err := c.FeedStatus(ctx)
		o.FeedData = status.Active
		return o, err
	})
}

func (c *Client) overviewOfEvents(ctx context.Context, account string, o *engine.Overview) error {
	now := time.Now()
	list, err := c.Events(ctx, account, engine.EventFilter{Since: now.Add(-24 * time.Hour)}, engine.EventPage{Limit: overviewEvents})
	if err != nil {
		return err
	}
	hours := map[time.Time]*engine.EventHour{}
	for n := len(list.Events) - 1; n >= 0; n-- {
		e := list.Events[n]
		at := e.At.Truncate(time.Hour)
		h := hours[at]
		if h == nil {
			h = &engine.EventHour{At: at}
			hours[at] = h
		}
		if e.Level == engine.LevelError {
			h.Error++
		} else {
			h.Info++
		}
	}
	for at := now.Add(-24 * time.Hour).Truncate(time.Hour); !at.After(now); at = at.Add(time.Hour) {
		if h := hours[at.UTC()]; h != nil {
			o.Hours = append(o.Hours, *h)
		}
	}
	errs, err := c.Events(ctx, account, engine.EventFilter{Level: engine.LevelError}, engine.EventPage{Limit: 6})
	o.Errors = errs.Events
	return err
}
