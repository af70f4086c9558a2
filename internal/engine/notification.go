package engine

import (
	"strings"
	"time"
)

// Kinds of notification. All but the last two are types of subscription too;
// NotifyEvents tells of every event of the log, NotifyGeneral names the webhooks
// that take notifications of any kind.
const (
	NotifyTag      = string(SubTagUpdate)
	NotifyPolicy   = string(SubPolicyEval)
	NotifyVulns    = string(SubVulnUpdate)
	NotifyAnalysis = string(SubAnalysisUpdate)
	NotifyRepo     = string(SubRepoUpdate)
	NotifyEvents   = "event_log"
	NotifyGeneral  = "general"
)

// WebhookTypes lists what a webhook can be for.
var WebhookTypes = []string{NotifyGeneral, NotifyTag, NotifyPolicy, NotifyVulns, NotifyAnalysis, NotifyRepo, NotifyEvents}

// Subscribed reports whether notifications of a kind are made for those who
// have subscribed to it.
func Subscribed(kind string) bool { return SubscriptionType(kind).Valid() }

// Webhook is an address that notifications are posted to.
type Webhook struct {
	ID        string // WebhookSetting and the type for those of the settings, else 32 hex
	Account   string // empty: of the settings, for every account
	Type      string // one of WebhookTypes
	URL       string // <userId> and <notification_type> are filled in
	User      string
	Password  Secret
	Verify    bool // verify TLS certificates
	Enabled   bool
	Empty     bool // a section of the settings without any field
	Refused   bool // in lists: it is plain that its address is not on the public network, and not allowed
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Trouble is what kept a webhook from taking a notification, by its kind.
type Trouble string

const (
	TroubleNone    Trouble = ""
	TroublePrivate Trouble = "private" // the address is not on the public network
	TroubleTLS     Trouble = "tls"     // the certificate or the handshake
	TroubleName    Trouble = "name"    // the host's name is not known
	TroubleTime    Trouble = "time"    // no answer in time
	TroubleStatus  Trouble = "status"  // an answer, and a bad one
	TroubleOther   Trouble = "other"
)

// WebhookTest is how the test of a webhook went.
type WebhookTest struct {
	Status  int // of the answer; 0: there was none
	Took    time.Duration
	Trouble Trouble
	Error   string // what went wrong
	Body    string // beginning of the answer, when it is text
}

// SubscriptionRef names a subscription within an account.
type SubscriptionRef struct {
	Type SubscriptionType
	Key  string
}

// WebhookSetting begins the ids of the webhooks of the settings.
const WebhookSetting = "setting:"

// Setting reports whether the webhook is the operator's own, from the settings.
func (w Webhook) Setting() bool { return w.Account == "" }

// Address is the URL for a notification of a kind to an account. escape makes
// the names harmless at their place in the URL.
func (w Webhook) Address(account, kind string, escape func(string) string) string {
	return strings.NewReplacer("<userId>", escape(account), "<notification_type>", escape(kind)).Replace(w.URL)
}

// DeliveryState is where the delivery of a notification to one webhook stands.
type DeliveryState string

const (
	DeliveryPending   DeliveryState = "pending"
	DeliveryDelivered DeliveryState = "delivered"
	DeliveryFailed    DeliveryState = "failed" // given up; it can be asked for again
)

// DeliveryStates lists the states of a delivery.
var DeliveryStates = []DeliveryState{DeliveryPending, DeliveryDelivered, DeliveryFailed}

// Notification is what is told, to one webhook. The same notification to
// another webhook is another record with the same ID.
type Notification struct {
	Seq       int64  // of the record
	ID        string // uuid with dashes
	Account   string
	Email     string // of the account; may be empty
	Type      string
	Key       string         // subscription key; the level for NotifyEvents
	Payload   map[string]any // what is told beside the ids
	Event     *Event         // in place of Payload for NotifyEvents
	Webhook   string         // id
	State     DeliveryState
	Attempts  int
	Status    int    // last HTTP status; 0: none
	Error     string // of the last attempt
	CreatedAt time.Time
	QueuedAt  time.Time // from here on the time to give up counts
	TriedAt   time.Time // zero: not yet
	NextTry   time.Time // while pending
	EndedAt   time.Time
	Took      time.Duration // of the attempt that ends
	Tries     []DeliveryTry // oldest first, the newest hundred; of one that was asked for alone
}

// DeliveryTry is how one attempt to deliver ended.
type DeliveryTry struct {
	At     time.Time
	Took   time.Duration
	Status int    // of the answer; 0: there was none
	Error  string // empty: it was taken
}

// NotificationFilter selects notifications of one account. Zero fields select
// all.
type NotificationFilter struct {
	State   DeliveryState
	Type    string
	Key     string
	Webhook string
	After   int64 // Seq of the last one of the page before
	Limit   int   // 1 to 1000
}
