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

// RegistryChoice is the stored registry whose credential is used for an image,
// and why it is that one.
type RegistryChoice struct {
	Image    string // the name in full
	Registry Registry
	Found    bool // false: the image is asked for anonymously
	Why      string
	Others   []string // names of records that match too, next best first
}
