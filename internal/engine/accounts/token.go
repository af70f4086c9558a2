package accounts

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"windlass/internal/engine"
)

const (
	// sessionTTL is how long a token of the console's own lasts. It makes a
	// new one whenever it needs one.
	sessionTTL = 5 * time.Minute
	// sessionAudience marks those tokens: they count whether or not clients
	// can have tokens.
	sessionAudience = "console"
	issuer          = "anchore-engine"
	// maxToken bounds what is parsed.
	maxToken = 4096
)

// secretKey is the setting that holds the secret of tokens.
const secretKey = "token_secret"

// OAuth is whether and how clients trade a password for a token.
type OAuth struct {
	Lifetime time.Duration   // of a token; 0: there are none
	Key      *rsa.PrivateKey // signs with RS256; nil: HS256 with the shared secret
}

// claims is what a token says. It is bound to the user's row as it was: a
// changed password ends all tokens made before.
type claims struct {
	jwt.RegisteredClaims
	Version int64 `json:"ver"`
}

// SetOAuth says whether clients can have tokens. It belongs before the first
// request.
func (a *Authenticator) SetOAuth(o OAuth) { a.oauth = o }

// OAuthLifetime is how long tokens of clients last; 0: there are none.
func (a *Authenticator) OAuthLifetime() time.Duration { return a.oauth.Lifetime }

// Token makes a short-lived token with which the console asks in a user's
// name, proven to any process of this engine.
func (a *Authenticator) Token(ctx context.Context, who engine.Identity) (engine.Secret, error) {
	return a.token(ctx, who.User, sessionTTL, jwt.ClaimStrings{sessionAudience})
}

// OAuthToken makes a token for a client that has proven who.
func (a *Authenticator) OAuthToken(ctx context.Context, who engine.Identity) (engine.Secret, error) {
	if a.oauth.Lifetime <= 0 {
		return "", engine.Forbiddenf("Oauth not enabled in configuration")
	}
	return a.token(ctx, who.User, a.oauth.Lifetime, nil)
}

func (a *Authenticator) token(ctx context.Context, user string, ttl time.Duration, audience jwt.ClaimStrings) (engine.Secret, error) {
	login, err := a.login(ctx, user)
	if err != nil {
		return "", fmt.Errorf("token: %w", err)
	}
	now := time.Now()
	c := claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: issuer, Subject: login.User.UUID, Audience: audience, ID: engine.NewID(),
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(ttl)),
		},
		Version: login.User.UpdatedAt.UnixMicro(),
	}
	var text string
	if a.oauth.Key != nil && audience == nil {
		text, err = jwt.NewWithClaims(jwt.SigningMethodRS256, c).SignedString(a.oauth.Key)
	} else {
		var secret []byte
		if secret, err = a.tokenSecret(ctx); err == nil {
			text, err = jwt.NewWithClaims(jwt.SigningMethodHS256, c).SignedString(secret)
		}
	}
	if err != nil {
		return "", fmt.Errorf("token: %w", err)
	}
	return engine.Secret(text), nil
}

// VerifyToken proves a token of any kind: engine.ErrUnauthorized when it is not
// valid, engine.ErrThrottled after too many that were not.
func (a *Authenticator) VerifyToken(ctx context.Context, token engine.Secret) (engine.Identity, error) {
	if strings.HasPrefix(token.Reveal(), engine.TokenPrefix) {
		return a.verifyAPIToken(ctx, token)
	}
	c, err := a.open(ctx, token)
	if err != nil {
		return engine.Identity{}, err
	}
	login, err := a.loginByUUID(ctx, c.Subject)
	switch {
	case errors.Is(err, engine.ErrNotFound):
		return engine.Identity{}, engine.ErrUnauthorized
	case err != nil:
		return engine.Identity{}, fmt.Errorf("token: %w", err)
	case login.User.UpdatedAt.UnixMicro() != c.Version:
		return engine.Identity{}, engine.ErrUnauthorized
	}
	return login.Identity(), nil
}

var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// open reads a signed token.
func (a *Authenticator) open(ctx context.Context, token engine.Secret) (claims, error) {
	if len(token) > maxToken || strings.Count(token.Reveal(), ".") != 2 {
		return claims{}, engine.ErrUnauthorized
	}
	secret, err := a.tokenSecret(ctx)
	if err != nil {
		return claims{}, fmt.Errorf("token: %w", err)
	}
	methods := []string{jwt.SigningMethodHS256.Alg()}
	if a.oauth.Key != nil {
		methods = append(methods, jwt.SigningMethodRS256.Alg())
	}
	var c claims
	_, err = jwt.ParseWithClaims(token.Reveal(), &c, func(t *jwt.Token) (any, error) {
		if t.Method == jwt.SigningMethodRS256 {
			return &a.oauth.Key.PublicKey, nil
		}
		return secret, nil
	}, jwt.WithValidMethods(methods), jwt.WithIssuer(issuer), jwt.WithExpirationRequired())
	if err != nil || !uuidForm.MatchString(c.Subject) {
		return claims{}, engine.ErrUnauthorized
	}
	if a.oauth.Lifetime <= 0 && !slices.Contains(c.Audience, sessionAudience) {
		return claims{}, engine.ErrUnauthorized // from a time when clients could have them
	}
	return c, nil
}

// login reads a user's row, or remembers it.
func (a *Authenticator) login(ctx context.Context, user string) (engine.Login, error) {
	if p, ok := a.recall(user); ok {
		return p.login, nil
	}
	epoch := a.now()
	login, err := a.store.Login(ctx, user)
	if err != nil {
		return engine.Login{}, err
	}
	a.keep(user, epoch, proof{login: login})
	return login, nil
}

// loginByUUID is login by what a token names.
func (a *Authenticator) loginByUUID(ctx context.Context, uuid string) (engine.Login, error) {
	a.mu.Lock()
	name, known := a.names[uuid]
	a.mu.Unlock()
	if known {
		// The name may be another user's by now.
		if p, ok := a.recall(name); ok && p.login.User.UUID == uuid {
			return p.login, nil
		}
	}
	epoch := a.now()
	login, err := a.store.LoginByUUID(ctx, uuid)
	if err != nil {
		return engine.Login{}, err
	}
	a.keep(login.User.Name, epoch, proof{login: login})
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.names) >= maxProofs {
		clear(a.names)
	}
	a.names[uuid] = login.User.Name
	return login, nil
}

// tokenSecret is the secret that all processes of this engine share.
func (a *Authenticator) tokenSecret(ctx context.Context) ([]byte, error) {
	a.mu.Lock()
	secret := a.secret
	a.mu.Unlock()
	if secret != nil {
		return secret, nil
	}
	fresh := make([]byte, sha256.Size)
	rand.Read(fresh)
	text, err := a.store.SettingOnce(ctx, secretKey, base64.StdEncoding.EncodeToString(fresh))
	if err != nil {
		return nil, err
	}
	secret, err = base64.StdEncoding.DecodeString(text)
	if err != nil || len(secret) < sha256.Size {
		return nil, fmt.Errorf("setting %s is damaged", secretKey)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.secret = secret
	return secret, nil
}
