package engine

import "time"

// Registry is a stored credential for a registry, or for part of one.
type Registry struct {
	Account   string
	Name      string // host, host/repo, or prefix ending in *
	Label     string // registry_name
	Type      string // docker_v2, awsecr
	User      string
	Password  Secret
	Verify    bool // verify TLS certificates
	CreatedAt time.Time
	UpdatedAt time.Time
}
