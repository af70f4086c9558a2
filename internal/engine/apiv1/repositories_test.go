package apiv1

import (
	"context"
	"strings"
	"testing"

	"windlass/internal/engine"
)

// fakeRepositories has docker.io/app with two tags.
type fakeRepositories struct {
	testAuth
	asked engine.AddRepository
}

func (f *fakeRepositories) AddRepository(_ context.Context, a engine.AddRepository) (engine.Subscription, error) {
	f.asked = a
	if a.Repository != "docker.io/app" {
		return engine.Subscription{}, &engine.Fault{
			Kind: engine.ErrNotFound, Message: "no tags could be added from input regrepo (" + a.Repository + ")", Codes: []string{"REGISTRY_IMAGE_NOT_FOUND"},
		}
	}
	value := `{"autosubscribe":true,"lookuptag":"latest","repotags":["1","2"],"tagcount":2}`
	return engine.Subscription{
		Account: a.Account, Key: a.Repository, Type: engine.SubRepoUpdate, Active: !a.DryRun, Value: &value,
		ID: engine.SubscriptionID(a.Account, a.Repository, engine.SubRepoUpdate),
	}, nil
}

func TestRepositories(t *testing.T) {
	for name, tc := range map[string]struct {
		target string
		code   int
		says   string
		asked  engine.AddRepository
	}{
		"add":        {"/v1/repositories?repository=docker.io/app&autosubscribe=True&dryrun=False&lookuptag=x", 200, `"subscription_value":"{\"autosubscribe\":true,`, engine.AddRepository{Account: "admin", Repository: "docker.io/app", AutoSubscribe: true}},
		"dry run":    {"/repositories?repository=docker.io/app&dryrun=true", 200, `"active":false`, engine.AddRepository{Account: "admin", Repository: "docker.io/app", DryRun: true}},
		"type":       {"/repositories?repository=docker.io/app", 200, `[{"subscription_id":"`, engine.AddRepository{Account: "admin", Repository: "docker.io/app"}},
		"unknown":    {"/repositories?repository=docker.io/none", 404, `"message":"no tags could be added from input regrepo (docker.io/none)"`, engine.AddRepository{Account: "admin", Repository: "docker.io/none"}},
		"no name":    {"/repositories", 400, `"title":"Bad Request"`, engine.AddRepository{}},
		"no boolean": {"/repositories?repository=docker.io/app&dryrun=maybe", 400, `"title":"Bad Request"`, engine.AddRepository{}},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fakeRepositories{}
			w := ask(t, f, "POST", tc.target, "", asAdmin)
			if w.Code != tc.code || !strings.Contains(w.Body.String(), tc.says) || f.asked != tc.asked {
				t.Errorf("%d %s asked %+v, want %d with %s", w.Code, w.Body, f.asked, tc.code, tc.says)
			}
		})
	}
}
