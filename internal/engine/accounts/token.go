package accounts

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"windlass/internal/engine"
)

// tokenTTL is how long a token lasts. The console makes a new one whenever it
// needs one.
const tokenTTL = 5 * time.Minute

// secretKey is the setting that holds the secret of tokens.
const secretKey = "token_secret"

// claims is what a token says. It is bound to the user's row as it was: a
// changed password ends all tokens made before.
type claims struct {
	User    string `json:"u"`
	UUID    string `json:"i"`
	Version int64  `json:"v"`
	Expires int64  `json:"e"`
}

// Token makes a short-lived token that proves who, to any process of this
// engine.
func (a *Authenticator) Token(ctx context.Context, who engine.Identity) (engine.Secret, error) {
	login, err := a.login(ctx, who.User)
	if err != nil {
		return "", fmt.Errorf("token: %w", err)
	}
	secret, err := a.tokenSecret(ctx)
	if err != nil {
		return "", fmt.Errorf("token: %w", err)
	}
	body, err := json.Marshal(claims{
		User: login.User.Name, UUID: login.User.UUID, Version: login.User.UpdatedAt.UnixMicro(), Expires: time.Now().Add(tokenTTL).Unix(),
	})
	if err != nil {
		return "", fmt.Errorf("token: %w", err)
	}
	text := base64.RawURLEncoding.EncodeToString(body)
	return engine.Secret(text + "." + base64.RawURLEncoding.EncodeToString(sign(secret, text))), nil
}

// VerifyToken proves a token: engine.ErrUnauthorized when it is not valid.
func (a *Authenticator) VerifyToken(ctx context.Context, token engine.Secret) (engine.Identity, error) {
	c, err := a.open(ctx, token)
	if err != nil {
		return engine.Identity{}, err
	}
	login, err := a.login(ctx, c.User)
	switch {
	case errors.Is(err, engine.ErrNotFound):
		return engine.Identity{}, engine.ErrUnauthorized
	case err != nil:
		return engine.Identity{}, fmt.Errorf("token: %w", err)
	case login.User.UUID != c.UUID || login.User.UpdatedAt.UnixMicro() != c.Version:
		return engine.Identity{}, engine.ErrUnauthorized
	}
	return login.Identity(), nil
}

func (a *Authenticator) open(ctx context.Context, token engine.Secret) (claims, error) {
	text, sum, ok := strings.Cut(token.Reveal(), ".")
	if !ok || len(text) > 4096 {
		return claims{}, engine.ErrUnauthorized
	}
	secret, err := a.tokenSecret(ctx)
	if err != nil {
		return claims{}, fmt.Errorf("token: %w", err)
	}
	got, err := base64.RawURLEncoding.DecodeString(sum)
	if err != nil || !hmac.Equal(got, sign(secret, text)) {
		return claims{}, engine.ErrUnauthorized
	}
	var c claims
	body, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(body, &c) != nil || time.Now().Unix() >= c.Expires {
		return claims{}, engine.ErrUnauthorized
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

func sign(secret []byte, text string) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte("windlass token 1\x00"))
	h.Write([]byte(text))
	return h.Sum(nil)
}
