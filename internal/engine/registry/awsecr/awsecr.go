// Package awsecr trades the keys of AWS for the logins of its container
// registries. Such a login lasts twelve hours; it is kept in memory until it
// is nearly over, and a refusal for a minute, so that a wrong key is not tried
// with every image.
//
// It stands apart from package registry so that only the program links the
// libraries of AWS.
package awsecr

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"windlass/internal/engine"
)

// Users of a stored registry that are no key.
const (
	UserAuto = "awsauto"   // the identity of the machine that this program runs on
	UserRole = "_iam_role" // a role that this identity may take; the password names it
)

const (
	askTimeout = 20 * time.Second
	restFor    = time.Minute
	// early is how long before its end a login is renewed.
	early = 30 * time.Minute
	// maxKept bounds the logins in memory.
	maxKept = 1000
)

// Logins gets and keeps logins. It is safe for concurrent use.
type Logins struct {
	// Auto allows the user awsauto: whoever may store a registry then reads
	// whatever the machine's own identity may read.
	Auto bool
	// Endpoint takes the place of AWS in tests.
	Endpoint string

	mu   sync.Mutex
	kept map[[sha256.Size]byte]kept
}

type kept struct {
	password engine.Secret
	err      error
	until    time.Time
}

// Login gives a stored registry of type awsecr the user and password of the
// registry itself.
func (l *Logins) Login(ctx context.Context, r engine.Registry) (engine.Registry, error) {
	host, region, err := place(r.Name)
	if err != nil {
		return r, err
	}
	if r.User == UserAuto && !l.Auto {
		return r, refusal("'awsauto' is not enabled in service configuration", nil)
	}
	// By what it is made of, and not by the record: a new key counts at once.
	key := sha256.Sum256([]byte(strings.Join([]string{r.Account, host, r.User, r.Password.Reveal()}, "\x00")))
	now := time.Now()
	l.mu.Lock()
	k, ok := l.kept[key]
	l.mu.Unlock()
	if !ok || now.After(k.until) {
		k = l.ask(ctx, r, region, now)
		if ctx.Err() != nil {
			return r, ctx.Err() // says nothing about the key
		}
		l.keep(key, k, now)
	}
	if k.err != nil {
		return r, refused(host, k.err)
	}
	r.User, r.Password = "AWS", k.password
	return r, nil
}

func (l *Logins) keep(key [sha256.Size]byte, k kept, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.kept == nil {
		l.kept = map[[sha256.Size]byte]kept{}
	}
	if len(l.kept) >= maxKept {
		for old, v := range l.kept {
			if now.After(v.until) || len(l.kept) >= maxKept {
				delete(l.kept, old)
			}
		}
	}
	l.kept[key] = k
}

var ecrHost = regexp.MustCompile(`^[0-9]{12}\.dkr\.ecr(-fips)?\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?$`)

// place is the registry's host and its region.
func place(name string) (host, region string, err error) {
	host, _, _ = strings.Cut(strings.TrimSuffix(name, "*"), "/")
	m := ecrHost.FindStringSubmatch(host)
	if m == nil {
		return host, "", refusal(fmt.Sprintf("%q is not a registry of AWS: want <account>.dkr.ecr.<region>.amazonaws.com", host), nil)
	}
	return host, m[2], nil
}

// ask gets a login from AWS.
func (l *Logins) ask(ctx context.Context, r engine.Registry, region string, now time.Time) kept {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	failed := func(err error) kept { return kept{err: err, until: now.Add(restFor)} }
	cfg, err := l.config(ctx, r, region)
	if err != nil {
		return failed(err)
	}
	out, err := ecr.NewFromConfig(cfg).GetAuthorizationToken(ctx, &ecr.GetAuthorizationTokenInput{})
	if err != nil {
		return failed(err)
	}
	if len(out.AuthorizationData) == 0 || out.AuthorizationData[0].AuthorizationToken == nil {
		return failed(errors.New("the answer holds no login"))
	}
	data := out.AuthorizationData[0]
	text, err := base64.StdEncoding.DecodeString(*data.AuthorizationToken)
	if err != nil {
		return failed(errors.New("the login is not readable"))
	}
	user, password, ok := strings.Cut(string(text), ":")
	if !ok || user != "AWS" || password == "" {
		return failed(errors.New("the login is not readable"))
	}
	until := now.Add(restFor)
	if data.ExpiresAt != nil && data.ExpiresAt.Add(-early).After(until) {
		until = data.ExpiresAt.Add(-early)
	}
	return kept{password: engine.Secret(password), until: until}
}

// config says who asks: a key, the machine itself, or a role it takes.
func (l *Logins) config(ctx context.Context, r engine.Registry, region string) (aws.Config, error) {
	client := awshttp.NewBuildableClient().WithTimeout(askTimeout)
	if r.User != UserAuto && r.User != UserRole {
		cfg := aws.Config{
			Region: region, HTTPClient: client, RetryMaxAttempts: 2,
			Credentials: credentials.NewStaticCredentialsProvider(r.User, r.Password.Reveal(), ""),
		}
		l.redirect(&cfg)
		return cfg, nil
	}
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(region), config.WithHTTPClient(client), config.WithRetryMaxAttempts(2))
	if err != nil {
		return cfg, err
	}
	l.redirect(&cfg)
	if r.User == UserRole {
		role, external, _ := strings.Cut(r.Password.Reveal(), ";")
		provider := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), strings.TrimSpace(role), func(o *stscreds.AssumeRoleOptions) {
			o.RoleSessionName = "windlass"
			if external = strings.TrimSpace(external); external != "" {
				o.ExternalID = &external
			}
		})
		cfg.Credentials = aws.NewCredentialsCache(provider)
	}
	return cfg, nil
}

func (l *Logins) redirect(cfg *aws.Config) {
	if l.Endpoint != "" {
		cfg.BaseEndpoint = &l.Endpoint
	}
}

// refused tells of a login that AWS did not give: by its own code where there
// is one, the rest is for the log.
func refused(host string, err error) error {
	why := "it could not be asked"
	var api smithy.APIError
	if errors.As(err, &api) {
		why = api.ErrorCode()
	}
	return refusal(fmt.Sprintf("%s: AWS gives no login to the registry (%s)", host, why), err)
}

func refusal(message string, cause error) error {
	if cause == nil {
		cause = errors.New("no login")
	}
	return &engine.Fault{
		Kind: engine.ErrInvalid, Message: message, Codes: []string{"REGISTRY_PERMISSION_DENIED"},
		Detail: map[string]any{"raw_exception_message": "unauthorized: " + message},
		Cause:  &engine.Problem{Cause: engine.CauseRegistryAuth, Err: cause},
	}
}
