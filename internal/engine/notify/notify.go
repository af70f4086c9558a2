// Package notify tells the world what has happened: it reads the settings of
// webhooks, makes the bodies that are posted to them, and delivers.
//
// # Delivery
//
// A notification is a row that was written, for each webhook that takes it, in
// the transaction of what it tells of; see store/notifications.go. A worker
// takes rows that are due, posts them, and writes down how it went. A row is
// leased by moving the time of its next attempt, so a killed worker's rows are
// due again when the lease ends: nothing is lost, and a receiver may rarely be
// told twice (by the same dataId). Any number of hosts may work at once.
//
// Each webhook has a lane of its own with few attempts at once, so that a
// receiver that is slow or away holds up nobody else. What cannot be delivered
// is tried again, at growing intervals, until the settings' time to give up has
// passed since it was queued; the row then stays, as failed, and can be queued
// again. There is always one attempt, however long no worker ran.
//
// # Where requests may go
//
// Webhooks of the settings are the operator's own choice and may be private
// addresses. Those that an account has made may not, unless the settings allow
// it: the address is judged when the connection is made, after the name was
// looked up, so that a name which changes its address is of no use. A redirect
// to another host is not followed, and an answer is read up to a bound.
//
// The package knows neither SQL nor the API.
package notify

import (
	"time"

	"windlass/internal/engine"
)

// Settings are what the operator has set about notifications.
type Settings struct {
	Webhooks []engine.Webhook // the sections, without account
	Levels   []string         // of events that are told of; none: events are not
	Retry    time.Duration    // after which a delivery is given up; 0: DefaultRetry
	Timeout  time.Duration    // of one attempt; 0: DefaultTimeout
	Allow    Allow            // where the webhooks of accounts may go beside the public network
}

const (
	// DefaultRetry is v1's.
	DefaultRetry = 30 * time.Second
	// DefaultTimeout is longer than v1's two seconds: chat services take
	// longer now and then, and a lane of its own harms nobody.
	DefaultTimeout = 5 * time.Second
)

// WithDefaults fills in what was not set.
func (s Settings) WithDefaults() Settings {
	if s.Retry <= 0 {
		s.Retry = DefaultRetry
	}
	if s.Timeout <= 0 {
		s.Timeout = DefaultTimeout
	}
	return s
}
