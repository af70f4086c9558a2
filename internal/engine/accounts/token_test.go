package accounts_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"windlass/internal/engine"
	"windlass/internal/engine/accounts"
	"windlass/internal/engine/enginetest"
)

var admin = engine.Identity{User: "admin", Account: "admin", Admin: true}

func TestOAuthToken(t *testing.T) {
	ctx := t.Context()
	s, a := fixture(t)
	if _, err := a.OAuthToken(ctx, admin); !errors.Is(err, engine.ErrForbidden) {
		t.Errorf("switched off: %v", err)
	}
	a.SetOAuth(accounts.OAuth{Lifetime: time.Hour})
	token, err := a.OAuthToken(ctx, admin)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(token.Reveal(), ".")
	if len(parts) != 3 {
		t.Fatalf("%d parts", len(parts))
	}
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		Iss, Sub, Jti string
		Exp, Iat      int64
	}
	if err := json.Unmarshal(body, &claims); err != nil {
		t.Fatal(err)
	}
	l, err := s.Login(ctx, "admin")
	if err != nil || claims.Iss != "anchore-engine" || claims.Sub != l.User.UUID || claims.Exp-claims.Iat != 3600 || claims.Jti == "" {
		t.Errorf("claims %s, user %s, %v", body, l.User.UUID, err)
	}
	if id, err := a.VerifyToken(ctx, token); err != nil || !id.Admin || id.User != "admin" {
		t.Errorf("verified as %+v, %v", id, err)
	}

	secret, err := s.SettingOnce(ctx, "token_secret", "")
	if err != nil {
		t.Fatal(err)
	}
	key, err := base64.StdEncoding.DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	forge := func(method jwt.SigningMethod, key any, change func(jwt.MapClaims)) string {
		c := jwt.MapClaims{
			"iss": "anchore-engine", "sub": l.User.UUID, "jti": "x", "ver": l.User.UpdatedAt.UnixMicro(),
			"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
		}
		if change != nil {
			change(c)
		}
		text, err := jwt.NewWithClaims(method, c).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	if _, err := a.VerifyToken(ctx, engine.Secret(forge(jwt.SigningMethodHS256, key, nil))); err != nil {
		t.Fatalf("the forger's own tools: %v", err)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"empty":             "",
		"no signature":      parts[0] + "." + parts[1] + ".",
		"cut signature":     strings.TrimSuffix(token.Reveal(), token.Reveal()[len(token.Reveal())-3:]),
		"other body":        parts[0] + "." + parts[1] + "AA." + parts[2],
		"twice":             token.Reveal() + token.Reveal(),
		"without end":       parts[0] + "." + strings.Repeat("A", 1<<20) + "." + parts[2],
		"alg none":          forge(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil),
		"alg HS512":         forge(jwt.SigningMethodHS512, key, nil),
		"other secret":      forge(jwt.SigningMethodHS256, []byte("another secret of 32 bytes......"), nil),
		"RS256 with no key": forge(jwt.SigningMethodRS256, other, nil),
		"other issuer":      forge(jwt.SigningMethodHS256, key, func(c jwt.MapClaims) { c["iss"] = "me" }),
		"no issuer":         forge(jwt.SigningMethodHS256, key, func(c jwt.MapClaims) { delete(c, "iss") }),
		"expired":           forge(jwt.SigningMethodHS256, key, func(c jwt.MapClaims) { c["exp"] = time.Now().Add(-time.Second).Unix() }),
		"never expires":     forge(jwt.SigningMethodHS256, key, func(c jwt.MapClaims) { delete(c, "exp") }),
		"a name for a uuid": forge(jwt.SigningMethodHS256, key, func(c jwt.MapClaims) { c["sub"] = "admin" }),
		"nobody's uuid":     forge(jwt.SigningMethodHS256, key, func(c jwt.MapClaims) { c["sub"] = "00000000-0000-0000-0000-000000000000" }),
		"older password":    forge(jwt.SigningMethodHS256, key, func(c jwt.MapClaims) { c["ver"] = 1 }),
	} {
		if _, err := a.VerifyToken(ctx, engine.Secret(text)); !errors.Is(err, engine.ErrUnauthorized) {
			t.Errorf("%s: %v", name, err)
		}
	}

	// With a key, tokens are signed by it, and the console's own still count.
	a.SetOAuth(accounts.OAuth{Lifetime: time.Hour, Key: other})
	signed, err := a.OAuthToken(ctx, admin)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := jwt.Parse(signed.Reveal(), func(*jwt.Token) (any, error) { return &other.PublicKey, nil }, jwt.WithValidMethods([]string{"RS256"})); err != nil {
		t.Errorf("signed by the key: %v", err)
	}
	if _, err := a.VerifyToken(ctx, signed); err != nil {
		t.Errorf("verified by the key: %v", err)
	}
	// The public key is no secret: it must not serve as one.
	if _, err := a.VerifyToken(ctx, engine.Secret(forge(jwt.SigningMethodHS256, other.N.Bytes(), nil))); !errors.Is(err, engine.ErrUnauthorized) {
		t.Errorf("HS256 with the public key: %v", err)
	}
	session, err := a.Token(ctx, admin)
	if err != nil {
		t.Fatal(err)
	}
	a.SetOAuth(accounts.OAuth{})
	for text, want := range map[engine.Secret]error{session: nil, signed: engine.ErrUnauthorized, token: engine.ErrUnauthorized} {
		if _, err := a.VerifyToken(ctx, text); !errors.Is(err, want) {
			t.Errorf("switched off again: %v, want %v", err, want)
		}
	}
	if _, err := a.Token(ctx, engine.Identity{User: "zoe"}); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("token for nobody: %v", err)
	}
}

// TestElsewhereIsForgottenAtOnce alters tokens, roles and accounts in another
// process while this one remembers them.
func TestElsewhereIsForgottenAtOnce(t *testing.T) {
	ctx := t.Context()
	s, here := fixture(t)
	there := accounts.NewDirectory(s, accounts.New(s, enginetest.Logger(t)), enginetest.Logger(t))
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- here.Run(running) }()
	defer func() { stop(); <-ended }()

	for _, name := range []string{"ann", "bob"} {
		if _, err := there.AddAccount(ctx, engine.Account{Name: name}); err != nil {
			t.Fatal(err)
		}
		if _, err := there.AddUser(ctx, name, name+"-user", "correct horse"); err != nil {
			t.Fatal(err)
		}
	}
	made, text, err := there.AddToken(ctx, "ann", engine.APIToken{User: "ann-user", Name: "ci"}, admin)
	if err != nil {
		t.Fatal(err)
	}
	wait(t, "the token counts", func() bool { _, err := here.VerifyToken(ctx, text); return err == nil })
	if id, err := here.Authenticate(ctx, "ann-user", "correct horse"); err != nil || id.May("bob", "getImage") {
		t.Fatalf("%+v, %v", id, err)
	}
	may := func(account, action string) func() bool {
		return func() bool {
			byPassword, err := here.Authenticate(ctx, "ann-user", "correct horse")
			byToken, err2 := here.VerifyToken(ctx, text)
			return err == nil && err2 == nil && byPassword.May(account, action) && byToken.May(account, action)
		}
	}
	not := func(f func() bool) func() bool { return func() bool { return !f() } }
	set := func(account string, roles ...engine.Role) {
		t.Helper()
		if _, err := there.SetRoles(ctx, account, "ann-user", roles, admin); err != nil {
			t.Fatal(err)
		}
	}
	set("bob", engine.ReadOnly)
	wait(t, "a role elsewhere", may("bob", "getImage"))
	for _, state := range []engine.AccountState{engine.AccountDisabled, engine.AccountEnabled} {
		if err := there.SetAccountState(ctx, "bob", state); err != nil {
			t.Fatal(err)
		}
		if state == engine.AccountDisabled {
			wait(t, "that account is disabled", not(may("bob", "getImage")))
		} else {
			wait(t, "that account is enabled", may("bob", "getImage"))
		}
	}
	set("bob")
	wait(t, "the role is taken back", not(may("bob", "getImage")))
	set("ann", engine.ReadOnly)
	wait(t, "a role at home", not(may("ann", "deleteImage")))
	if err := there.RemoveToken(ctx, "ann", "ann-user", made.ID); err != nil {
		t.Fatal(err)
	}
	wait(t, "the token is revoked", func() bool {
		_, err := here.VerifyToken(ctx, text)
		return errors.Is(err, engine.ErrUnauthorized)
	})
}

// counted is a store without any token that counts how often it is asked.
type counted struct {
	accounts.Store
	asked int
	token engine.APIToken // known by whatever text once it has an id
}

func (c *counted) TokenByHash(context.Context, []byte) (engine.APIToken, error) {
	c.asked++
	if c.token.ID != "" {
		return c.token, nil
	}
	return engine.APIToken{}, engine.ErrNotFound
}

func (c *counted) Login(context.Context, string) (engine.Login, error) {
	return engine.Login{User: engine.User{Name: "ann"}, Account: engine.Account{Name: "a", State: engine.AccountEnabled}}, nil
}

// TestTokenGuessing asks with a thousand made-up tokens from one address, which
// cost the database ten questions, and nobody else his access.
func TestTokenGuessing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &counted{}
		a := accounts.New(s, enginetest.Logger(t))
		here, there := engine.WithPeer(t.Context(), "10.0.0.1"), engine.WithPeer(t.Context(), "10.0.0.2")
		s.token = engine.APIToken{ID: "1", User: "ann", ExpiresAt: time.Now().Add(time.Hour)}
		if _, err := a.VerifyToken(here, "wl_GOOD"); err != nil {
			t.Fatal(err)
		}
		good := s.asked
		s.token = engine.APIToken{}
		throttled := 0
		for i := range 1000 {
			_, err := a.VerifyToken(here, engine.Secret(fmt.Sprintf("wl_%026d", i)))
			switch {
			case errors.Is(err, engine.ErrThrottled):
				throttled++
			case !errors.Is(err, engine.ErrUnauthorized):
				t.Fatalf("guess %d: %v", i, err)
			}
		}
		if n := s.asked - good; n != 10 || throttled != 990 {
			t.Errorf("the database was asked %d times, %d guesses were refused unheard", n, throttled)
		}
		if _, err := a.VerifyToken(here, "wl_GOOD"); err != nil {
			t.Errorf("a good one meanwhile, remembered: %v", err)
		}
		if _, err := a.VerifyToken(there, "wl_OTHER"); !errors.Is(err, engine.ErrUnauthorized) {
			t.Errorf("from elsewhere: %v", err)
		}
		// One wrong token, again and again, is a script that nobody told.
		before := s.asked
		for range 100 {
			if _, err := a.VerifyToken(there, "wl_OTHER"); !errors.Is(err, engine.ErrUnauthorized) {
				t.Fatal(err)
			}
		}
		if s.asked != before {
			t.Errorf("the same wrong token was looked up %d times", s.asked-before)
		}
	})
}

func TestTokenExpiresWhileRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &counted{token: engine.APIToken{ID: "1", User: "ann", ExpiresAt: time.Now().Add(2 * time.Second)}}
		a := accounts.New(s, enginetest.Logger(t))
		if _, err := a.VerifyToken(t.Context(), "wl_GOOD"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		if _, err := a.VerifyToken(t.Context(), "wl_GOOD"); !errors.Is(err, engine.ErrUnauthorized) {
			t.Errorf("two seconds later: %v", err)
		}
	})
}
