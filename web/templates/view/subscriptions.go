package view

// Subscriptions is the page of what an account is told of.
type Subscriptions struct {
	Sub    string
	Tabs   []Tab
	Filter SubscriptionFilter
	Form   SubscriptionForm
	Rows   []SubscriptionRow
	None   bool   // there is not one, whatever the filter
	Silent string // why nothing can arrive, though something is asked for
	Pager  Pager
	May    SubscriptionRights
	Same   SameBy
}

// SubscriptionRights are the forms that are shown.
type SubscriptionRights struct{ Add, Change, Remove, Watch, Retry, Deliveries bool }

// SubscriptionFilter is the list's form.
type SubscriptionFilter struct {
	Text, Type, State string
	Types, States     []Option
	Any               bool // something is filtered
}

// SubscriptionRow is one subscription.
type SubscriptionRow struct {
	DOMID   string
	Key     string
	Type    string // in words
	Code    string // as the API has it
	Active  bool
	Last    *Delivered // nil: none is kept
	Watched bool       // somebody looks regularly
	Checked Time
	Next    Time
	Fault   string // of the last look
	Base    string // of its forms' addresses
	Confirm string

	// Of a repository.
	Tags string
	New  []string // tags that were found last
	Auto bool     // each tag is watched too
}

// Delivered is where a notification stands.
type Delivered struct {
	Pill Pill
	At   Time
}

// SubscriptionForm adds subscriptions, or a repository.
type SubscriptionForm struct {
	Open  bool
	Key   string
	Types []Option
	Auto  bool
	Fault string
}

// Deliveries is the history of notifications.
type Deliveries struct {
	Sub    string
	Tabs   []Tab
	Filter DeliveryFilter
	Rows   []DeliveryRow
	None   bool // nothing was ever told, as far as it is kept
	Pager  Pager
	May    SubscriptionRights
	Same   SameBy
}

// DeliveryFilter is the list's form.
type DeliveryFilter struct {
	Key                     string
	States, Types, Webhooks []Option
	Any                     bool
}

// DeliveryRow is one notification to one webhook.
type DeliveryRow struct {
	DOMID, Href       string
	Type, Code, Key   string
	Webhook, HookHref string
	State             Pill
	Attempts          string
	Answer            string
	Error             string
	Made, Tried       Time
	NextLabel         string // of Next
	Next              Time
	Retry             string // address of the form; empty: it cannot be asked for
}

// Delivery is one notification whole.
type Delivery struct {
	Row   DeliveryRow
	ID    string
	Ended Time
	Body  string // what is told, as JSON
	Tries []DeliveryTry
	May   SubscriptionRights
	Same  SameBy
}

// DeliveryTry is one attempt.
type DeliveryTry struct {
	N      string
	At     Time
	State  Pill
	Answer string
	Error  string
	Took   string
}

// Webhooks is where notifications go.
type Webhooks struct {
	Sub     string
	Tabs    []Tab
	Rows    []WebhookRow
	Setting []WebhookRow // of the operator; only administrators see them
	Form    WebhookForm
	Test    *WebhookTest
	May     WebhookRights
	Same    SameBy
}

// WebhookRights are the forms that are shown.
type WebhookRights struct{ Add, Change, Remove bool }

// WebhookRow is one webhook.
type WebhookRow struct {
	DOMID, ID  string
	Address    string
	Type, Code string
	User       string
	TLS        Pill
	Enabled    bool
	Refused    bool
	Last       *Delivered
	LastError  string
	LastHref   string
	Updated    Time
	Edit, Base string
	Testable   bool
	Confirm    string
}

// WebhookForm adds a webhook, or changes the one named by Edit.
type WebhookForm struct {
	Open          bool
	Edit          string // id
	Action        string
	URL, User     string
	HasPassword   bool
	Insecure, Off bool
	Types         []Option
	Fault         string            // of none of the fields
	Faults        map[string]string // by field
}

// WebhookTest is how a test went.
type WebhookTest struct {
	Tone, Title, Text string
	Hint              string
	Facts             []Fact
	Body              string
}
