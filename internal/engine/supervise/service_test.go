package supervise_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/supervise"
)

// A service that panics must be seen to go down and to come back, by record
// and by event, and answer at its address again.
func TestServiceComesBackAfterAPanic(t *testing.T) {
	s := enginetest.Store(t)
	lives := make(chan struct{}, 8)
	hit := make(chan struct{})
	first := true
	svc := &supervise.Service{
		Name: engine.Catalog, Host: "h", Addr: "127.0.0.1:0", Records: s, Log: enginetest.Logger(t),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `"ok"`) }),
		Tasks: map[string]func(context.Context) error{"work": func(ctx context.Context) error {
			lives <- struct{}{}
			if first {
				first = false
				<-hit
				panic("boom")
			}
			<-ctx.Done()
			return nil
		}},
	}
	if err := svc.Bind(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	states := make(chan engine.ServiceState, 64)
	watched := make(chan error, 1)
	go func() {
		watched <- s.Watch(ctx, 0, func(c engine.Change) error {
			if c.Kind != engine.ChangeService {
				return nil
			}
			list, err := s.Services(ctx)
			if err != nil || len(list) != 1 {
				return err
			}
			states <- list[0].State
			return nil
		})
	}()
	ended := make(chan error, 1)
	go func() { ended <- svc.Run(ctx) }()
	await := func(want engine.ServiceState) {
		t.Helper()
		for got := range states {
			if got == want {
				return
			}
		}
	}
	<-lives
	await(engine.ServiceAvailable)
	close(hit)
	await(engine.ServiceUnavailable)
	<-lives
	await(engine.ServiceAvailable)
	if err := supervise.Probe(ctx, svc.BaseURL()); err != nil {
		t.Errorf("the restarted service does not answer at %s: %v", svc.BaseURL(), err)
	}
	list, err := s.ServiceHistory(ctx, list0(t, s).StartedAt.AddDate(-1, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	var to []engine.ServiceState
	for _, tr := range list {
		to = append(to, tr.To)
	}
	want := []engine.ServiceState{engine.ServiceAvailable, engine.ServiceUnavailable, engine.ServiceAvailable}
	if len(to) != len(want) || to[0] != want[0] || to[1] != want[1] || to[2] != want[2] {
		t.Errorf("transitions %v, want %v and nothing between", to, want)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run = %v, want nil when told to stop", err)
	}
	if err := <-watched; !errors.Is(err, context.Canceled) {
		t.Errorf("Watch = %v", err)
	}
}

func list0(t *testing.T, s interface {
	Services(context.Context) ([]engine.Service, error)
}) engine.Service {
	t.Helper()
	list, err := s.Services(t.Context())
	if err != nil || len(list) != 1 {
		t.Fatalf("services = %v, %v; want one", list, err)
	}
	return list[0]
}

func TestTakenPortIsSaidBeforeAnythingRuns(t *testing.T) {
	one := &supervise.Service{Name: "one", Addr: "127.0.0.1:0"}
	if err := one.Bind(); err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	two := &supervise.Service{Name: "two", Addr: one.Addr}
	if err := two.Bind(); err == nil {
		two.Close()
		t.Error("the second service bound a taken port")
	}
}
