package enginecontract

import (
	"context"
	"errors"
	"slices"
	"time"

	"windlass/internal/bff/session"
	"windlass/internal/engine"
)

func wrongPassword(t *trial) {
	for _, password := range []engine.Secret{"not-" + t.Password, ""} {
		if _, err := t.Engine.Authenticate(t.ctx, engine.AdminUser, password); !errors.Is(err, engine.ErrUnauthorized) {
			t.Errorf("a wrong password: %v", err)
		}
	}
	who, err := t.Engine.Authenticate(t.ctx, engine.AdminUser, t.Password)
	if err != nil || who.User != engine.AdminUser || who.Account != account || !who.Admin || who.Disabled {
		t.Errorf("admin is %+v, %v", who, err)
	}
}

func sessions(t *trial) {
	_, hash := signIn(t, t.Subject, engine.AdminUser, t.Password)
	found, err := t.Engine.Session(t.ctx, hash, session.Idle, true)
	if err != nil || found.User != engine.AdminUser || found.CSRF == "" || !found.Admin {
		t.Errorf("the session is %+v, %v", found, err)
	}
	if found.Password != "" {
		t.Error("a session tells the password")
	}
	if header, err := t.Engine.Authorization(engine.WithSession(t.ctx, hash), found.Identity); err != nil || header == "" {
		t.Errorf("Authorization = %v", err)
	}
	list, err := t.Engine.UserSessions(t.ctx, engine.AdminUser, session.Idle)
	if err != nil || !slices.ContainsFunc(list, func(s engine.Session) bool { return string(s.Hash) == string(hash) }) {
		t.Errorf("the user's sessions are %d, without this one; %v", len(list), err)
	}
	if err := t.Engine.EndSession(t.ctx, hash); err != nil {
		t.Errorf("EndSession = %v", err)
	}
	if _, err := t.Engine.Session(t.ctx, hash, session.Idle, true); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("after its end the session is there: %v", err)
	}
}

func services(t *trial) {
	t.until("every service is up", func() bool {
		list, err := t.Engine.Services(t.ctx)
		t.need(err, "Services")
		up := map[string]bool{}
		for _, s := range list {
			up[s.Name] = up[s.Name] || s.Up() && s.Host != "" && s.BaseURL != ""
		}
		return !slices.ContainsFunc(engine.ServiceNames, func(name string) bool { return !up[name] })
	})
	t.is(t.Engine.RemoveService(t.ctx, engine.Catalog, "no-such-host"), engine.ErrNotFound, "RemoveService of none")
}

func changes(t *trial) {
	last, err := t.Engine.LastChange(t.ctx)
	t.need(err, "LastChange")
	ctx, cancel := context.WithTimeout(t.ctx, time.Minute)
	defer cancel()
	if _, err := t.Engine.AddSubscription(t.ctx, engine.Subscription{Account: account, Key: "docker.io/told/" + t.tag + ":1", Type: engine.SubTagUpdate}); err != nil {
		t.Fatal(err)
	}
	seq := int64(0)
	err = t.Engine.Watch(ctx, last, func(c engine.Change) error {
		if c.Seq <= max(last, seq) {
			t.Errorf("change %d comes after %d", c.Seq, max(last, seq))
		}
		seq = c.Seq
		if c.Kind == engine.ChangeSubscription && (c.Account == account || c.Account == "") {
			cancel()
		}
		return nil
	})
	if err != nil || seq == 0 || context.Cause(ctx) != context.Canceled {
		t.Errorf("Watch = %v after change %d", err, seq)
	}
}

func accounts(t *trial) {
	name := "acc-" + t.tag
	a, err := t.Engine.AddAccount(t.ctx, engine.Account{Name: name, Email: "who@example.com"})
	t.need(err, "AddAccount")
	if a.Name != name || a.State != engine.AccountEnabled || a.Type != engine.AccountUser {
		t.Errorf("the account is %+v", a)
	}
	if _, err := t.Engine.AddAccount(t.ctx, engine.Account{Name: name}); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("the same once more: %v", err)
	}
	if a, err = t.Engine.Account(t.ctx, name); err != nil || a.Email != "who@example.com" {
		t.Errorf("Account = %+v, %v", a, err)
	}
	_, err = t.Engine.Account(t.ctx, "none-"+t.tag)
	t.is(err, engine.ErrNotFound, "an account that is not there")

	user := "user-" + t.tag
	if _, err := t.Engine.AddUser(t.ctx, name, user, "first-password"); err != nil {
		t.Fatalf("AddUser = %v", err)
	}
	list, next, err := t.Engine.Users(t.ctx, name, engine.UserFilter{Limit: 10})
	if err != nil || next != "" || len(list) != 1 || list[0].User.Name != user || list[0].Hash == "" {
		t.Errorf("Users = %+v, %q, %v", list, next, err)
	}
	if err := t.Engine.SetPassword(t.ctx, name, user, "second-password"); err != nil {
		t.Errorf("SetPassword = %v", err)
	}
	if _, err := t.Engine.Authenticate(t.ctx, user, "first-password"); !errors.Is(err, engine.ErrUnauthorized) {
		t.Errorf("the old password: %v", err)
	}
	if who, err := t.Engine.Authenticate(t.ctx, user, "second-password"); err != nil || who.Admin || who.Account != name {
		t.Errorf("the new password proves %+v, %v", who, err)
	}
	if err := t.Engine.RemoveUser(t.ctx, name, user, engine.AdminUser); err != nil {
		t.Errorf("RemoveUser = %v", err)
	}
	_, err = t.Engine.User(t.ctx, name, user)
	t.is(err, engine.ErrNotFound, "a user who is gone")

	// Names are the order, and a page ends where it says.
	page, next, err := t.Engine.Accounts(t.ctx, engine.AccountFilter{Limit: 1})
	if err != nil || len(page) != 1 || next == "" {
		t.Fatalf("Accounts = %+v, %q, %v", page, next, err)
	}
	second, _, err := t.Engine.Accounts(t.ctx, engine.AccountFilter{Limit: 1, After: next})
	if err != nil || len(second) != 1 || second[0].Name <= page[0].Name {
		t.Errorf("the second page is %+v, %v", second, err)
	}
}

func disabled(t *trial) {
	name, user := "off-"+t.tag, "off-user-"+t.tag
	if _, err := t.Engine.AddAccount(t.ctx, engine.Account{Name: name}); err != nil {
		t.Fatal(err)
	}
	if _, err := t.Engine.AddUser(t.ctx, name, user, "a-password"); err != nil {
		t.Fatal(err)
	}
	own, hash := signIn(t, t.Subject, user, "a-password")
	if _, _, err := t.Engine.Images(own, name, engine.ImageFilter{}); err != nil {
		t.Errorf("the own images: %v", err)
	}
	if err := t.Engine.SetAccountState(t.ctx, name, engine.AccountDisabled); err != nil {
		t.Fatal(err)
	}
	if err := t.Engine.SetAccountState(t.ctx, "none-"+t.tag, engine.AccountDisabled); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("disabling no account: %v", err)
	}
	if who, err := t.Engine.Authenticate(t.ctx, user, "a-password"); err == nil && !who.Disabled {
		t.Errorf("a user of a disabled account is %+v", who)
	}
	t.Engine.EndSession(t.ctx, hash)
}
