package vuln

import (
	"context"
	"errors"
	"fmt"
	"sync"

	v6 "github.com/anchore/grype/grype/db/v6"
	"github.com/anchore/grype/grype/vulnerability"

	"windlass/internal/engine"
	"windlass/internal/engine/feeds"
)

// handle is an open database with the number of those who use it. The last to
// let go of a database that is no longer in use closes it, so a switch of data
// never closes one under a running match.
type handle struct {
	data     engine.FeedData
	reader   v6.Reader
	provider vulnerability.Provider // over reader, and closes it

	owner *opened
	users int // guarded by owner.mu; the owner itself counts as one
}

// opened is the database in use.
type opened struct {
	mu  sync.Mutex
	cur *handle
}

// errElsewhere says that the data in use is on another host.
var errElsewhere = errors.New("vulnerability data is not on this host")

// acquire gives the database in use, opening it when it has changed since. It
// is engine.ErrNotFound when there is none, and errElsewhere while this host
// does not have it.
func (m *Matcher) acquire(ctx context.Context) (*handle, error) {
	active, err := m.source.ActiveFeedData(ctx)
	if err != nil {
		return nil, err
	}
	o := &m.open
	o.mu.Lock()
	defer o.mu.Unlock()
	// The same archive may have been installed again: the folder is another.
	if o.cur == nil || o.cur.data.ID != active.ID || !o.cur.data.InstalledAt.Equal(active.InstalledAt) {
		if !feeds.Installed(m.dir, active.ID) {
			return nil, fmt.Errorf("%w: %s", errElsewhere, active.ID)
		}
		r, err := v6.NewReader(v6.Config{DBDirPath: feeds.Path(m.dir, active.ID)})
		if err != nil {
			return nil, fmt.Errorf("open vulnerability data: %w", err)
		}
		if o.cur != nil {
			o.cur.drop(m)
		}
		o.cur = &handle{data: active, reader: r, provider: v6.NewVulnerabilityProvider(r), owner: o, users: 1}
		m.log.InfoContext(ctx, "vulnerability data open", "data", active.ID, "built", active.Built, "schema", active.Schema)
	}
	o.cur.users++
	return o.cur, nil
}

func (h *handle) release() {
	h.owner.mu.Lock()
	defer h.owner.mu.Unlock()
	h.drop(nil)
}

// drop lets go of one use. Its caller holds the owner's lock.
func (h *handle) drop(m *Matcher) {
	if h.users--; h.users > 0 {
		return
	}
	if err := h.provider.Close(); err != nil && m != nil {
		m.log.Warn("vulnerability data close failed", "data", h.data.ID, "err", err)
	}
}

// Close lets go of the database in use. Matches at work end first.
func (m *Matcher) Close() {
	o := &m.open
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.cur != nil {
		o.cur.drop(m)
		o.cur = nil
	}
}
