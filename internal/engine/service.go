package engine

import "time"

// ServiceState is the word shown as status_message.
type ServiceState string

const (
	ServiceRegistered  ServiceState = "registered"
	ServiceAvailable   ServiceState = "available"
	ServiceUnavailable ServiceState = "unavailable"
	ServiceOrphaned    ServiceState = "orphaned"
)

// Service is the record of one service on one host.
type Service struct {
	Host        string
	Name        string
	BaseURL     string
	State       ServiceState
	Detail      ServiceDetail
	StartedAt   time.Time
	HeartbeatAt time.Time
	Since       time.Time // when State was entered
	Restarts    int       // since the process started
}

// Up reports whether the record counts as up for system wait.
func (s Service) Up() bool { return s.State == ServiceAvailable }

// Key is "name/host".
func (s Service) Key() string { return s.Name + "/" + s.Host }

// ServiceDetail is what a service says of itself at its last heartbeat.
type ServiceDetail struct {
	Up, Available, Busy bool
	Message             string
	Version, DBVersion  string
	// Host is what the host reports beside; it alone changes without being
	// news. Nil: nothing.
	Host *HostReport `json:",omitempty"`
}

// ServiceTransition is one entry of a service's up and down history.
type ServiceTransition struct {
	Host, Name string
	From, To   ServiceState
	Cause      string
	At         time.Time
}
