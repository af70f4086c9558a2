package view

// Services is the list of service instances and, when one is open, its drawer.
type Services struct {
	Rows  []ServiceRow
	Up    string
	Hosts string
	Open  *ServiceDetail
	CSRF  string
}

// ServiceRow is one instance.
type ServiceRow struct {
	ID, Name, Host, BaseURL, Href string
	Pill                          Pill
	Message, Version              string
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
	DBVersion   string
	Busy        string
	Since       Time
	Transitions []Transition
	EventsHref  string
	LogHref     string
	Same        SameBy
	CSRF        string
}

// Transition is a change of a service's state.
type Transition struct {
	From, To Pill
	Cause    string
	At       Time
}
