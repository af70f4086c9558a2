package engine

import (
	"regexp"
	"time"
)

// Types of stored registries that mean something.
const (
	RegistryDocker = "docker_v2"
	RegistryAmazon = "awsecr" // what is stored fetches the login of the registry
)

// Registry is a stored credential for a registry, or for part of one.
type Registry struct {
	Account   string
	Name      string // host, host/repo, or prefix ending in *
	Label     string // registry_name
	Type      string // RegistryDocker, RegistryAmazon
	User      string
	Password  Secret
	Verify    bool // verify TLS certificates
	CreatedAt time.Time
	UpdatedAt time.Time
	Check     RegistryCheck // the newest with what is stored now
	UsedAt    time.Time     // an image or its tags were found with it, to the minute; zero: never
	UsedFor   string        // name of that image or repository
}

var amazonHost = regexp.MustCompile(`^[0-9]+\.dkr\.ecr\..*amazonaws\.com`)

// RegistryTypeOf is the type of a registry that gives none, by its name.
func RegistryTypeOf(name string) string {
	if amazonHost.MatchString(name) {
		return RegistryAmazon
	}
	return RegistryDocker
}

// RegistryCheck is how asking a registry ended.
type RegistryCheck struct {
	At    time.Time // zero: was not asked
	Took  time.Duration
	Cause string // code of a Cause; empty: it answered and took the credential
	Text  string // a sentence for a person; empty when all is well
}

// OK reports whether the registry was asked and all was well.
func (c RegistryCheck) OK() bool { return !c.At.IsZero() && c.Cause == "" }

// CheckedRegistry is the check that ended with err.
func CheckedRegistry(began, ended time.Time, err error) RegistryCheck {
	c := RegistryCheck{At: ended, Took: ended.Sub(began)}
	if err != nil {
		c.Cause, c.Text = CauseInternal, MessageOf(err, "The registry could not be asked.")
		if cause, ok := CauseOf(err); ok {
			c.Cause = cause.Code
		}
	}
	return c
}

// RegistryChoice is the stored registry whose credential is used at an address,
// and why it is that one.
type RegistryChoice struct {
	Image    string // the name in full
	Registry Registry
	Found    bool // false: it is asked anonymously
	Why      string
	Others   []string // names of records that match too, next best first
}

// RegistryRoute tells where an image is asked for, in order: an address comes
// to its turn when the one before it has not got the image.
type RegistryRoute struct {
	Image  string // the name in full
	Asks   []RegistryAsk
	Stored []RegistryMatch // every stored record, in the order in which they are tried
}

// RegistryAsk is one address that is asked for an image.
type RegistryAsk struct {
	Address string // of the manifest
	Mirror  bool
	Library bool // "library/" was put before the name, as the hub has official images
	Verify  bool // only TLS, with a certificate that is trusted
	Plain   bool // plain HTTP was set for this mirror
	Choice  RegistryChoice
	Tried   *RegistryTry // nil: was not asked
}

// RegistryTry is what an address answered.
type RegistryTry struct {
	RegistryCheck
	Digest Digest // of the manifest for amd64
	Size   int64  // of the compressed layers
	Layers int
}

// RegistryMatch is whether a stored record matches the image, at the registry
// itself.
type RegistryMatch struct {
	Name    string
	Rule    string // how its name is compared
	Matches bool
	Used    bool
}

// RegistryUse is what is asked for with a stored record, at the registry or at
// a mirror of it.
type RegistryUse struct {
	Tags          int // of images
	Repositories  int
	Subscriptions int // active ones that look into the registry
}
