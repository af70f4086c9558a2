package bff

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates"
	"windlass/web/templates/view"
)

// Subscriptions is what the pages about subscriptions ask of an engine.
type Subscriptions interface {
	// Subscriptions lists one page, by key and type, and the cursor of the next.
	Subscriptions(ctx context.Context, account string, f engine.SubscriptionFilter) ([]engine.Subscription, string, error)
	Subscription(ctx context.Context, account, id string) (engine.Subscription, error)
	AddSubscription(ctx context.Context, v engine.Subscription) (engine.Subscription, error)
	UpdateSubscription(ctx context.Context, account, id string, u engine.SubscriptionUpdate) (engine.Subscription, error)
	RemoveSubscription(ctx context.Context, account, id string) error
	// CheckNow has a watcher look at a subscription at once.
	CheckNow(ctx context.Context, account, id string) (engine.Subscription, error)
	// AddRepository lists a repository's tags and subscribes to it.
	AddRepository(ctx context.Context, a engine.AddRepository) (engine.Subscription, error)
	// LastNotifications finds the newest notification of each that has one.
	LastNotifications(ctx context.Context, account string, of []engine.SubscriptionRef) (map[engine.SubscriptionRef]engine.Notification, error)
}

// subscriptionsPage is how many subscriptions stand on one page.
const subscriptionsPage = 100

func (s *Server) subscriptionsRoutes(r fiber.Router) {
	r.Get(present.SubscriptionsHref, s.listSubscriptions)
	r.Post(present.SubscriptionsHref, s.may("createSubscription"), s.addSubscription)
	r.Get(present.RepositoriesHref, s.listRepositories)
	r.Post(present.RepositoriesHref, s.may("createRepository"), s.addRepository)
	s.deliveriesRoutes(r)
	s.webhooksRoutes(r)
	r.Post("/subscriptions/:id/active", s.may("updateSubscription"), s.switchSubscription)
	r.Post("/subscriptions/:id/check", s.may("updateSubscription"), s.checkSubscription)
	r.Post("/subscriptions/:id/remove", s.may("deleteSubscription"), s.removeSubscription)
}

// mayFunc asks for actions of the signed-in user in the own account.
func (s *Server) mayFunc(c *fiber.Ctx) func(action string) bool {
	who := s.who(c)
	return func(action string) bool { return who.May(who.Home(), action) }
}

func (s *Server) listSubscriptions(c *fiber.Ctx) error {
	form := view.SubscriptionForm{Open: query(c).Get("add") != "", Key: query(c).Get("key")}
	return s.renderSubscriptions(c, form)
}

func (s *Server) renderSubscriptions(c *fiber.Ctx, form view.SubscriptionForm) error {
	f := subscriptionFilter(query(c))
	f.Limit = pageSize(c, f.Limit)
	f.Types = present.TagSubscriptions
	if t := engine.SubscriptionType(query(c).Get("type")); slices.Contains(f.Types, t) {
		f.Types = []engine.SubscriptionType{t}
	}
	in, err := s.subscriptionsOf(c, f)
	if err != nil {
		return err
	}
	in.Form = form
	if in.May("listWebhooks") {
		if in.Hooks, err = s.listening(c); err != nil {
			return err
		}
	}
	return s.render(c, templates.Subscriptions(s.page(c, "Subscriptions", "subscriptions"), present.Subscriptions(in, false, s.clock(c))))
}

func (s *Server) listRepositories(c *fiber.Ctx) error {
	return s.renderRepositories(c, view.SubscriptionForm{Open: query(c).Get("add") != ""})
}

func (s *Server) renderRepositories(c *fiber.Ctx, form view.SubscriptionForm) error {
	f := subscriptionFilter(query(c))
	f.Limit = pageSize(c, f.Limit)
	f.Type = engine.SubRepoUpdate
	in, err := s.subscriptionsOf(c, f)
	if err != nil {
		return err
	}
	in.Form = form
	return s.render(c, templates.Repositories(s.page(c, "Watched repositories", "subscriptions"), present.Subscriptions(in, true, s.clock(c))))
}

// subscriptionsOf reads a page of them with the last notification of each.
func (s *Server) subscriptionsOf(c *fiber.Ctx, f engine.SubscriptionFilter) (present.SubscriptionsIn, error) {
	account := s.who(c).Account
	in := present.SubscriptionsIn{Query: query(c), May: s.mayFunc(c), Hooks: -1, API: c.BaseURL(), User: s.who(c).User}
	var err error
	if in.List, in.Next, err = s.engine.Subscriptions(c.UserContext(), account, f); err != nil {
		return in, err
	}
	refs := make([]engine.SubscriptionRef, len(in.List))
	for n, v := range in.List {
		refs[n] = engine.SubscriptionRef{Type: v.Type, Key: v.Key}
	}
	if len(refs) > 0 {
		in.Last, err = s.engine.LastNotifications(c.UserContext(), account, refs)
	}
	return in, err
}

// listening counts the webhooks that something can be delivered to.
func (s *Server) listening(c *fiber.Ctx) (int, error) {
	own, err := s.engine.Webhooks(c.UserContext(), s.who(c).Account)
	if err != nil {
		return 0, err
	}
	setting, err := s.engine.SettingWebhooks(c.UserContext())
	if err != nil {
		return 0, err
	}
	n := 0
	for _, w := range slices.Concat(own, setting) {
		if w.Enabled && w.URL != "" {
			n++
		}
	}
	return n, nil
}

// subscriptionFilter reads what both lists are filtered by.
func subscriptionFilter(q url.Values) engine.SubscriptionFilter {
	f := engine.SubscriptionFilter{Text: strings.TrimSpace(q.Get("q")), After: q.Get("after"), Limit: subscriptionsPage}
	switch on, off := true, false; q.Get("state") {
	case "active":
		f.Active = &on
	case "inactive":
		f.Active = &off
	case "failing":
		f.Failed = true
	}
	return f
}

// addSubscription subscribes to a tag, for each type that was ticked. What is
// there already is switched on.
func (s *Server) addSubscription(c *fiber.Ctx) error {
	form := view.SubscriptionForm{Open: true, Key: strings.TrimSpace(c.FormValue("key"))}
	var types []engine.SubscriptionType
	for _, t := range formValues(c, "type") {
		if st := engine.SubscriptionType(t); slices.Contains(present.TagSubscriptions, st) && !slices.Contains(types, st) {
			types, form.Types = append(types, st), append(form.Types, view.Option{Value: t})
		}
	}
	err := s.subscribe(c, form.Key, types)
	if err == nil {
		return s.done(c, present.SubscriptionsHref, "Subscribed to "+form.Key+".", "")
	}
	var f *engine.Fault
	if !errors.As(err, &f) {
		return err
	}
	form.Fault = f.Message
	c.Status(http.StatusBadRequest)
	return s.renderSubscriptions(c, form)
}

func (s *Server) subscribe(c *fiber.Ctx, key string, types []engine.SubscriptionType) error {
	repository, tag := key, ""
	if n := strings.LastIndex(key, ":"); n > strings.LastIndex(key, "/") {
		repository, tag = key[:n], key[n+1:]
	}
	switch {
	case key == "":
		return engine.Invalidf("Name a tag.")
	case tag == "" || !strings.Contains(repository, "/") || strings.ContainsAny(key, " \t@"):
		return engine.Invalidf("Give registry, repository and tag, as docker.io/team/app:1.0.")
	case len(types) == 0:
		return engine.Invalidf("Choose what to be told of.")
	}
	account, on := s.who(c).Account, true
	for _, t := range types {
		_, err := s.engine.AddSubscription(c.UserContext(), engine.Subscription{Account: account, Key: key, Type: t, Active: true})
		if errors.Is(err, engine.ErrConflict) {
			_, err = s.engine.UpdateSubscription(c.UserContext(), account, engine.SubscriptionID(account, key, t), engine.SubscriptionUpdate{Active: &on})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// formValues are all values of a field: of the form, and of the address that an
// undo is.
func formValues(c *fiber.Ctx, name string) []string {
	var list []string
	for _, raw := range c.Context().PostArgs().PeekMulti(name) {
		list = append(list, string(raw))
	}
	if len(list) == 0 {
		list = query(c)[name]
	}
	return list
}

func (s *Server) addRepository(c *fiber.Ctx) error {
	form := view.SubscriptionForm{Open: true, Key: strings.TrimSpace(c.FormValue("repository")), Auto: c.FormValue("auto") != ""}
	var err error
	if form.Key == "" {
		err = engine.Invalidf("Name a repository.")
	} else {
		_, err = s.engine.AddRepository(c.UserContext(), engine.AddRepository{Account: s.who(c).Account, Repository: form.Key, AutoSubscribe: form.Auto})
	}
	if err == nil {
		return s.done(c, present.RepositoriesHref, "Watching "+form.Key+". Its tags are being added.", "")
	}
	var f *engine.Fault
	if !errors.As(err, &f) {
		return err
	}
	form.Fault = f.Message
	c.Status(http.StatusBadRequest)
	return s.renderRepositories(c, form)
}

// backToList is the list that a form stood on.
func backToList(c *fiber.Ctx) string {
	if c.FormValue("from") == "repositories" {
		return present.RepositoriesHref
	}
	return present.SubscriptionsHref
}

func (s *Server) switchSubscription(c *fiber.Ctx) error {
	on := c.FormValue("active") == "true"
	v, err := s.engine.UpdateSubscription(c.UserContext(), s.who(c).Account, param(c, "id"), engine.SubscriptionUpdate{Active: &on})
	if err != nil {
		return goneSubscription(err)
	}
	text := "Switched off: "
	if on {
		text = "Switched on: "
	}
	return s.done(c, backToList(c), text+v.Key+", "+present.NotificationWords(string(v.Type))+".", "")
}

func (s *Server) checkSubscription(c *fiber.Ctx) error {
	v, err := s.engine.CheckNow(c.UserContext(), s.who(c).Account, param(c, "id"))
	if err != nil {
		return goneSubscription(err)
	}
	return s.done(c, backToList(c), "Looking at "+v.Key+" now.", "")
}

// removeSubscription forgets one. That of a tag can be taken back; that of a
// repository holds the tags that are known, which are asked for anew.
func (s *Server) removeSubscription(c *fiber.Ctx) error {
	account, id := s.who(c).Account, param(c, "id")
	v, err := s.engine.Subscription(c.UserContext(), account, id)
	if err == nil {
		err = s.engine.RemoveSubscription(c.UserContext(), account, id)
	}
	if err != nil {
		return goneSubscription(err)
	}
	undo := ""
	if v.Type != engine.SubRepoUpdate && v.Active && s.mayFunc(c)("createSubscription") {
		undo = present.SubscriptionsHref + "?" + url.Values{"key": {v.Key}, "type": {string(v.Type)}}.Encode()
	}
	return s.done(c, backToList(c), "Removed "+v.Key+", "+present.NotificationWords(string(v.Type))+".", undo)
}

func goneSubscription(err error) error {
	if errors.Is(err, engine.ErrNotFound) {
		return engine.NotFoundf("There is no such subscription. It may have been removed.")
	}
	return err
}
