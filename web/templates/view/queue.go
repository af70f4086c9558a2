package view

// QueuePage is the queues, who works them off, and their messages.
type QueuePage struct {
	Sub      string
	Pauses   []QueuePaused
	Queues   []QueueRow
	Chart    *QueueChart // nil: not for this account
	Workers  []QueueWorker
	Tabs     []StateCount
	Text     string
	Choices  []Option // queues
	State    string
	Rows     []MessageRow
	Filtered bool
	Clear    string
	Pager    Pager
	All      string // how many match, when there are more than on the page
	AllHref  map[string]string
	Open     *MessageDetail
	Close    string
	Back     string // where an action leads back to
	May      bool   // alter messages
	Manage   bool   // pause queues
	Everyone bool   // messages of all accounts are shown
	Same     SameBy
}

// QueuePaused is a queue that somebody stopped.
type QueuePaused struct {
	Queue, Name, Text string
	At                Time
}

// QueueRow is one queue.
type QueueRow struct {
	ID, Queue, Name, Does, Href string
	Pill                        Pill
	Waiting, Running, Delayed   string
	WaitingHref, RunningHref    string
	DelayedHref                 string
	Oldest                      Time
	Rate, Failed, Drain         string
	FailedHref                  string
	Workers                     string
	Paused, Current             bool
}

// QueueChart is a day of one queue: the deepest it was and what ended, by span.
// Lengths are on a scale of 100.
type QueueChart struct {
	Name, Text, Max, Done, Failed string
	Bars                          []QueueBar
	Empty                         bool
}

// QueueBar is one span.
type QueueBar struct {
	Title               string
	Depth, Done, Failed int
}

// QueueWorker is a process and what it is doing.
type QueueWorker struct {
	ID, Host, Service, Href, Hands string
	Pill                           Pill
	Since                          Time
	Messages                       []WorkerMessage
	Hidden                         string // messages of other accounts
}

// WorkerMessage is a message in a worker's hands.
type WorkerMessage struct {
	ID, Title, Href, Queue string
	Meter                  *Meter
	Since                  Time
}

// MessageRow is one message.
type MessageRow struct {
	DOMID, ID, Href, Title, Short, Queue, Account string
	State                                         Pill
	Why                                           string
	Until                                         Time   // with its moment, when it ends by itself
	Next                                          string // what happens then
	Stuck                                         bool
	Attempts                                      string
	Since                                         Time
	Retry, Release, Open                          bool
}

// MessageDetail is all that is known of one message.
type MessageDetail struct {
	Row                                   MessageRow
	Subject, SubjectHref, Host, Error     string
	Worker, Payload, Priority, Generation string
	Leased, Available                     Time
	Same                                  SameBy
}

// BulkMessages asks before something is done to several messages.
type BulkMessages struct {
	Do, Title, Text, Button string
	Danger                  bool
	Count                   int
	IDs, Names              []string
	More                    string
	Query                   string
	Back                    string
}
