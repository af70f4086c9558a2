package enginecontract

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"windlass/internal/engine"
)

func (t *trial) bundle(id, name string) []byte {
	return fmt.Appendf(nil, `{"id":%q,"name":%q,"version":"1_0","policies":[{"id":"p","name":"P","version":"1_0","rules":[]}],"whitelists":[],
	 "mappings":[{"name":"all","registry":"*","repository":"*","image":{"type":"tag","value":"*"},"policy_id":"p","whitelist_ids":[]}],
	 "whitelisted_images":[],"blacklisted_images":[]}`, id, name)
}

// active is the id of the active bundle.
func (t *trial) active() (id string) {
	t.Helper()
	n := 0
	err := t.Engine.EachPolicy(t.ctx, account, false, func(b engine.PolicyBundle) error {
		if b.Active {
			id = b.ID
			n++
		}
		return nil
	})
	if err != nil || n != 1 {
		t.Fatalf("%d bundles are active, %v", n, err)
	}
	return id
}

func policies(t *trial) {
	before, id := t.active(), "added-"+t.tag
	b, err := t.Engine.EditPolicy(t.ctx, engine.PolicyEdit{Account: account, Document: t.bundle(id, "Added")})
	t.need(err, "EditPolicy")
	if b.ID != id || b.Active {
		t.Errorf("the bundle is %+v", b)
	}
	_, err = t.Engine.EditPolicy(t.ctx, engine.PolicyEdit{Account: account, Document: t.bundle(id, "Once more")})
	t.is(err, engine.ErrConflict, "the same id as new")
	if b, err = t.Engine.Policy(t.ctx, account, id); err != nil || b.Name != "Added" || b.Digest == "" {
		t.Fatalf("Policy = %+v, %v", b, err)
	}
	if _, err = t.Engine.EditPolicy(t.ctx, engine.PolicyEdit{Account: account, ID: id, Seen: b.Digest, Activate: true}); err != nil {
		t.Fatalf("activate: %v", err)
	}
	if now := t.active(); now != id {
		t.Errorf("%s is active", now)
	}
	t.is(t.Engine.DeletePolicy(t.ctx, account, id), engine.ErrConflict, "deleting the active one")
	old, err := t.Engine.Policy(t.ctx, account, before)
	t.need(err, "Policy")
	if _, err := t.Engine.EditPolicy(t.ctx, engine.PolicyEdit{Account: account, ID: before, Seen: old.Digest, Activate: true}); err != nil {
		t.Fatalf("back to the one before: %v", err)
	}
	if err := t.Engine.DeletePolicy(t.ctx, account, id); err != nil {
		t.Errorf("DeletePolicy = %v", err)
	}
	_, err = t.Engine.Policy(t.ctx, account, id)
	t.is(err, engine.ErrNotFound, "a bundle that is gone")
	_, err = t.Engine.EditPolicy(t.ctx, engine.PolicyEdit{Account: account, Document: []byte(`{"id":"x"}`)})
	t.is(err, engine.ErrInvalid, "what is no bundle")
}

func stalePolicy(t *trial) {
	id := "stale-" + t.tag
	b, err := t.Engine.EditPolicy(t.ctx, engine.PolicyEdit{Account: account, Document: t.bundle(id, "First")})
	t.need(err, "EditPolicy")
	seen := b.Digest
	if b, err = t.Engine.EditPolicy(t.ctx, engine.PolicyEdit{Account: account, ID: id, Seen: seen, Document: t.bundle(id, "Second")}); err != nil || b.Digest == seen {
		t.Fatalf("the change is %+v, %v", b, err)
	}
	_, err = t.Engine.EditPolicy(t.ctx, engine.PolicyEdit{Account: account, ID: id, Seen: seen, Document: t.bundle(id, "Third")})
	t.is(err, engine.ErrConflict, "a change of a version that is gone")
	if b, err = t.Engine.Policy(t.ctx, account, id); err != nil || b.Name != "Second" {
		t.Errorf("Policy = %+v, %v", b, err)
	}
	t.Engine.DeletePolicy(t.ctx, account, id)
}

func registries(t *trial) {
	if _, err := t.Engine.Registries(t.ctx, account); err != nil {
		t.Errorf("Registries = %v", err)
	}
	_, err := t.Engine.Registry(t.ctx, account, "none-"+t.tag+".example/team")
	t.is(err, engine.ErrNotFound, "a registry that is not there")
	if err := t.Engine.RemoveRegistry(t.ctx, account, "none-"+t.tag+".example/team"); err != nil && !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("RemoveRegistry = %v", err)
	}
}

func subscriptions(t *trial) {
	key := "docker.io/team/" + t.tag + ":1"
	v, err := t.Engine.AddSubscription(t.ctx, engine.Subscription{Account: account, Key: key, Type: engine.SubVulnUpdate, Active: true})
	t.need(err, "AddSubscription")
	if v.ID != engine.SubscriptionID(account, key, engine.SubVulnUpdate) || !v.Active || v.CreatedAt.IsZero() {
		t.Errorf("the subscription is %+v", v)
	}
	_, err = t.Engine.AddSubscription(t.ctx, engine.Subscription{Account: account, Key: key, Type: engine.SubVulnUpdate})
	t.is(err, engine.ErrConflict, "the same once more")
	list, next, err := t.Engine.Subscriptions(t.ctx, account, engine.SubscriptionFilter{Text: t.tag + ":1", Type: engine.SubVulnUpdate})
	if err != nil || next != "" || len(list) != 1 || list[0].Key != key {
		t.Errorf("Subscriptions = %+v, %q, %v", list, next, err)
	}
	off := false
	if v, err = t.Engine.UpdateSubscription(t.ctx, account, v.ID, engine.SubscriptionUpdate{Active: &off}); err != nil || v.Active {
		t.Errorf("UpdateSubscription = %+v, %v", v, err)
	}
	if err := t.Engine.RemoveSubscription(t.ctx, account, v.ID); err != nil {
		t.Errorf("RemoveSubscription = %v", err)
	}
	_, err = t.Engine.Subscription(t.ctx, account, v.ID)
	t.is(err, engine.ErrNotFound, "a subscription that is gone")
}

// lacks asks what v1 does not have: it is there, or it is unsupported.
func lacks(t *trial) {
	for name, ask := range map[string]func(context.Context) error{
		"Queues": func(ctx context.Context) error { _, err := t.Engine.Queues(ctx, account); return err },
		"Checks": func(ctx context.Context) error {
			_, err := t.Engine.Checks(ctx, engine.CheckQuery{Account: account})
			return err
		},
		"LogFiles":       func(ctx context.Context) error { _, _, err := t.Engine.LogFiles(ctx); return err },
		"ServiceHistory": func(ctx context.Context) error { _, err := t.Engine.ServiceHistory(ctx, time.Now()); return err },
		"VerdictCounts":  func(ctx context.Context) error { _, err := t.Engine.VerdictCounts(ctx, account); return err },
		"Notifications": func(ctx context.Context) error {
			_, err := t.Engine.Notifications(ctx, account, engine.NotificationFilter{Limit: 10})
			return err
		},
		"Webhooks":     func(ctx context.Context) error { _, err := t.Engine.Webhooks(ctx, account); return err },
		"RegistryUses": func(ctx context.Context) error { _, err := t.Engine.RegistryUses(ctx, account); return err },
		"ExplainImage": func(ctx context.Context) error { _, err := t.Engine.ExplainImage(ctx, account, t.Image); return err },
		"FeedSyncs":    func(ctx context.Context) error { _, err := t.Engine.FeedSyncs(ctx, 0, 10); return err },
		"VEXDocuments": func(ctx context.Context) error {
			_, _, err := t.Engine.VEXDocuments(ctx, account, engine.VEXFilter{})
			return err
		},
		"SampleStatus": func(ctx context.Context) error { _, err := t.Engine.SampleStatus(ctx, account); return err },
		"RoleGrants":   func(ctx context.Context) error { _, err := t.Engine.RoleGrants(ctx, account); return err },
		"Tokens":       func(ctx context.Context) error { _, err := t.Engine.Tokens(ctx, account, engine.AdminUser); return err },
		"SupportBundle": func(ctx context.Context) error {
			return t.Engine.SupportBundle(ctx, io.Discard, engine.CheckQuery{Account: account})
		},
		"Audit": func(ctx context.Context) error {
			_, _, err := t.Engine.Audit(ctx, engine.AuditFilter{Limit: 10}, engine.Identity{User: engine.AdminUser, Account: account, Admin: true})
			return err
		},
	} {
		if err := ask(t.ctx); err != nil && (!t.Lacks || !errors.Is(err, engine.ErrUnsupported)) {
			t.Errorf("%s = %v", name, err)
		}
	}
}
