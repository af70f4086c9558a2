package enginetest

import (
	"context"
	"io"
	"slices"
	"time"

	"windlass/internal/engine"
)

// Checks answers with the fake's list; those that concern the system only when
// they are asked for.
func (f *Fake) Checks(_ context.Context, q engine.CheckQuery) ([]engine.Check, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, q)
	var list []engine.Check
	for _, c := range f.Guide {
		if (q.System || c.ID != engine.CheckDatabase) && (len(q.Only) == 0 || slices.Contains(q.Only, c.ID)) {
			list = append(list, c)
		}
	}
	return list, nil
}

// RetryFailed says that there were three images, and one more.
func (f *Fake) RetryFailed(_ context.Context, account, cause string) (int, int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.retried = append(f.retried, account+"/"+cause)
	return 3, 1, nil
}

// CheckQueries are what checks were asked for so far.
func (f *Fake) CheckQueries() []engine.CheckQuery {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.asked)
}

// RetriedCauses are those of RetryFailed so far, as account/cause.
func (f *Fake) RetriedCauses() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.retried)
}

// SupportBundle writes what stands for an archive.
func (f *Fake) SupportBundle(_ context.Context, w io.Writer, _ engine.CheckQuery) error {
	_, err := io.WriteString(w, "PK archive")
	return err
}

// Troubled is a guide with every status in it.
func Troubled() []engine.Check {
	now := time.Now()
	check := func(id, title string, s engine.CheckStatus, summary string, facts []engine.CheckFact, steps ...engine.CheckStep) engine.Check {
		return engine.Check{ID: id, Title: title, Status: s, Summary: summary, Facts: facts, Steps: steps, At: now.Add(-2 * time.Second), Took: 4 * time.Millisecond}
	}
	fact := func(name, value string, s engine.CheckStatus) engine.CheckFact {
		return engine.CheckFact{Name: name, Value: value, Status: s}
	}
	images := func() engine.CheckPlace {
		return engine.CheckPlace{Page: "images", Args: map[string]string{"state": string(engine.Failed)}}
	}
	return []engine.Check{
		check(engine.CheckAPI, "The API answers", engine.CheckPass, "The API answers at 1 address.", []engine.CheckFact{fact("http://127.0.0.1:8228", "answered in 1 ms", engine.CheckPass)}),
		check(engine.CheckDatabase, "The database is well", engine.CheckWarn, "The database has 5 connections left.", []engine.CheckFact{
			fact("answer", "in 2 ms", engine.CheckPass), fact("version", "15.14 (Debian 15.14-0+deb12u1)", ""), fact("connections", "92 of 97 in use, 5 free", engine.CheckWarn),
			fact("schema", "migration 11 of 11", engine.CheckPass),
		}, engine.CheckStep{Text: "Raise max_connections of PostgreSQL: each host of the engine takes up to 24."}),
		check(engine.CheckServices, "Every service has a live instance", engine.CheckFail, "analyzer is down: unavailable, its address does not answer: connection refused.", []engine.CheckFact{
			fact("apiext", "up on host-1", engine.CheckPass), {Name: "analyzer", Value: "unavailable, its address does not answer: connection refused", Status: engine.CheckFail, Place: engine.CheckPlace{Page: "services", Of: "analyzer/host-2"}},
		}, engine.CheckStep{Text: "Open analyzer on host-2", Place: engine.CheckPlace{Page: "services", Of: "analyzer/host-2"}},
			engine.CheckStep{Text: "Log of analyzer", Place: engine.CheckPlace{Page: "logs", Args: map[string]string{"service": "analyzer"}}}),
		check(engine.CheckFeeds, "Feeds are on, synced and not stale", engine.CheckWarn, "The data in use was built 9 days ago: what became known since is not found.", []engine.CheckFact{
			{Name: "data in use", Value: "148,493 records from https://feeds.example/v6, built", At: now.Add(-9 * 24 * time.Hour), Status: engine.CheckWarn},
			{Name: "next sync", Value: "due", At: now.Add(3 * time.Hour)},
		}, engine.CheckStep{Text: "Sync the feeds now", Do: engine.DoSyncFeeds}),
		check(engine.CheckRegistries, "Registries take their credentials", engine.CheckUnknown, "2 registries are stored and were not asked in the last hour: that is a login to each.", nil,
			engine.CheckStep{Text: "Ask them now", Do: engine.DoCheckRegistries}),
		check(engine.CheckImages, "No image has failed", engine.CheckWarn, "4 images have failed, for 1 cause.", []engine.CheckFact{
			{Name: "4 images: registry_auth", Value: "The registry refused access with the credential that is stored for it, or without one. Newest: registry.example/team/a-rather-long-repository-name/service:2026.11, The registry refused.", At: now.Add(-time.Hour), Status: engine.CheckFail, Place: images()},
		}, engine.CheckStep{Text: "Retry 4 images (registry_auth)", Do: engine.DoRetryImages, Arg: engine.CauseRegistryAuth}, engine.CheckStep{Text: "See them", Place: images()}),
		check(engine.CheckErrors, "No error events in the last hour", engine.CheckPass, "There were none.", nil),
	}
}
