package bff_test

import (
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"windlass/internal/bff"
	"windlass/internal/bff/enginetest"
	"windlass/internal/engine"
)

// The roles of an engine under names that are no methods of theirs.
type (
	authRole          interface{ bff.Auth }
	overviewRole      interface{ bff.Overview }
	troubleshootRole  interface{ bff.Troubleshoot }
	servicesRole      interface{ bff.Services }
	eventsRole        interface{ bff.Events }
	savedRole         interface{ bff.SavedFilters }
	retentionRole     interface{ bff.Retention }
	feedsRole         interface{ bff.Feeds }
	imagesRole        interface{ bff.Images }
	registriesRole    interface{ bff.Registries }
	policiesRole      interface{ bff.Policies }
	samplesRole       interface{ bff.Samples }
	queuesRole        interface{ bff.Queues }
	logsRole          interface{ bff.Logs }
	apiRole           interface{ bff.APIDocument }
	vexRole           interface{ bff.VEX }
	subscriptionsRole interface{ bff.Subscriptions }
	deliveriesRole    interface{ bff.Deliveries }
	webhooksRole      interface{ bff.Webhooks }
	accountsRole      interface{ bff.Accounts }
	auditRole         interface{ bff.Audit }
)

// everything is an engine for the walk over all pages: each role is played by
// the engine of that page's own tests, so that what these show is shown here too.
type everything struct {
	authRole
	overviewRole
	troubleshootRole
	servicesRole
	eventsRole
	savedRole
	retentionRole
	feedsRole
	imagesRole
	registriesRole
	policiesRole
	samplesRole
	queuesRole
	logsRole
	apiRole
	vexRole
	subscriptionsRole
	deliveriesRole
	webhooksRole
	accountsRole
	auditRole

	fake *enginetest.Fake
}

func (e *everything) Watch(ctx context.Context, after int64, each func(engine.Change) error) error {
	return e.fake.Watch(ctx, after, each)
}

func (e *everything) LastChange(ctx context.Context) (int64, error) { return e.fake.LastChange(ctx) }

// The events of an image are asked for by two roles, and so are bundles.
func (e *everything) Events(ctx context.Context, account string, f engine.EventFilter, p engine.EventPage) (engine.EventList, error) {
	return e.eventsRole.Events(ctx, account, f, p)
}

func (e *everything) EachPolicy(ctx context.Context, account string, documents bool, each func(engine.PolicyBundle) error) error {
	return e.policiesRole.EachPolicy(ctx, account, documents, each)
}

// OpenLogFile opens what the list of files names.
func (e *everything) OpenLogFile(_ context.Context, _, name string) (engine.LogFile, io.ReadCloser, error) {
	const text = "2026-11-22 10:00:19.000Z [INFO] layer fetched\n"
	return engine.LogFile{Service: engine.Catalog, Name: name, Bytes: int64(len(text)), ModTime: time.Now()}, io.NopCloser(strings.NewReader(text)), nil
}

// fullEngine has something to show on every page.
func fullEngine() *everything {
	fake := enginetest.New()
	busy(fake)
	usual(fake)
	fake.Guide = enginetest.Troubled()
	for i := range 7 { // repeats, which fold
		e := engine.NewEvent(engine.EvAnalysisFailed, "admin", "docker.io/team/worker:nightly", map[string]any{"cause": "unauthorized"}, engine.Source{Service: engine.Analyzer, Host: "host-2"})
		e.At = time.Now().Add(-time.Duration(50+i) * time.Second)
		e.StoredAt = e.At
		fake.Log.Put(e)
	}
	for _, e := range fake.Sum.Errors {
		fake.Log.Put(e)
	}
	gone := fake.Records[len(fake.Records)-1]
	gone.Host, gone.BaseURL, gone.State = "host-9", "http://10.0.0.9:8084", engine.ServiceOrphaned
	fake.Records = append(fake.Records, gone)
	queue, log, feeds := newQueueEngine(), newTape(), newFeeds()
	queue.Fake, log.Fake, feeds.Fake = fake, fake, fake
	for i, text := range slices.Repeat([]string{"layer fetched n=3 bytes=29127341 took=412ms", "analysis done image=debian:12 packages=88 took=4.1s", `layer read retry n=3 cause="connection reset by peer"`}, 20) {
		log.log([]string{engine.Analyzer, engine.Catalog, engine.PolicyEngine}[i%3], []string{"info", "debug", "warn"}[i%3], text)
	}
	log.log(engine.Catalog, "error", "analysis failed digest=sha256:0be667e0 stage=pull cause=registry_io")
	pictures := bff.ImageEngine(fake)
	pictures.Fill()
	return &everything{
		authRole: fake, overviewRole: fake, troubleshootRole: fake, servicesRole: fake, eventsRole: fake, savedRole: fake, retentionRole: fake,
		feedsRole: feeds, imagesRole: pictures, samplesRole: pictures, registriesRole: registryFake{fake}, policiesRole: bff.PolicyEngine(),
		queuesRole: queue, logsRole: log, apiRole: documentFake{fake}, vexRole: newVEXFake(fake),
		subscriptionsRole: &watchFake{Fake: fake}, deliveriesRole: &watchFake{Fake: fake}, webhooksRole: &watchFake{Fake: fake},
		accountsRole: peopleFake{fake}, auditRole: peopleFake{fake}, fake: fake,
	}
}

// Images finds by text as an engine does: a search for what is not there finds nothing.
func (e *everything) Images(ctx context.Context, account string, f engine.ImageFilter) ([]engine.Image, string, error) {
	list, next, err := e.imagesRole.Images(ctx, account, f)
	list = slices.DeleteFunc(slices.Clone(list), func(i engine.Image) bool {
		return f.Text != "" && !slices.ContainsFunc(i.Tags, func(t engine.ImageTag) bool { return strings.Contains(t.Full(), f.Text) })
	})
	return list, next, err
}

func (e *everything) Accounts(ctx context.Context, f engine.AccountFilter) ([]engine.Account, string, error) {
	list, next, err := e.accountsRole.Accounts(ctx, f)
	return slices.DeleteFunc(list, func(a engine.Account) bool { return !strings.Contains(a.Name, f.Text) }), next, err
}

func (e *everything) FindPackages(_ context.Context, _, prefix string, _ int) ([]string, error) {
	return beginning([]string{"openssl", "openssh-client", "pip", "pinentry-curses"}, prefix), nil
}

func (e *everything) FindVulns(_ context.Context, _, prefix string, _ int) ([]string, error) {
	return beginning([]string{"CVE-2024-5535"}, prefix), nil
}

func beginning(list []string, prefix string) []string {
	return slices.DeleteFunc(list, func(s string) bool { return !strings.HasPrefix(s, prefix) })
}
