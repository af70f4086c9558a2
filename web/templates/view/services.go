package view

// Services is the list of service instances or of incidents and, when an
// instance is open, its drawer.
type Services struct {
	Tab                 string
	Rows                []ServiceRow
	None                bool // no instance at all
	Filtered            bool
	Filter              ServicesFilter
	Up, Hosts, Count    string
	Goes                string // how many incidents go on
	Period              string
	Long                bool // bars of 90 days
	Instances, Troubles string
	Short, Longer       string // addresses of the two periods
	Clear, Back         string
	Incidents           Incidents
	Open                *ServiceDetail
	CSRF                string
	Same                SameBy
}

// ServicesFilter is the form above the lists.
type ServicesFilter struct {
	Tab, Range, Text        string
	States, Services, Hosts []Option
}

// ServiceRow is one instance.
type ServiceRow struct {
	ID, Name, Host, BaseURL, Href string
	Pill                          Pill
	Message, Version, DBVersion   string
	Address                       string // short
	Heartbeat, Started            Time
	Restarts                      string
	History                       History
	Open                          bool
	Removable                     bool
	Remove                        string // address of the form
}

// ServiceDetail is all that is known of one instance.
type ServiceDetail struct {
	Row         ServiceRow
	Since       Time
	Day, Long   History
	Transitions []Transition
	Events      []ErrorLine
	Lines       []ServiceLine
	NoLog       string // instead of lines
	Record      string // as the API gives it
	EventsHref  string
	LogHref     string
	Back        string
	Same        SameBy
	CSRF        string
}

// ServiceLine is one of the last lines of an instance's log.
type ServiceLine struct {
	At          Time
	Level, Text string
}

// Transition is a change of a service's state.
type Transition struct {
	From, To Pill
	Cause    string
	At       Time
	LogHref  string
}
