package apiv1

import (
	"errors"
	"fmt"
	"net/http"

	"windlass/internal/engine"
)

// ruleBody is the body of POST /archives/rules. What is left out has a default
// of its own, so absence is kept apart from zero.
type ruleBody struct {
	Transition    string         `json:"transition"`
	Selector      *imageSelector `json:"selector"`
	AgeDays       *int           `json:"analysis_age_days"`
	VersionsNewer *int           `json:"tag_versions_newer"`
	SystemGlobal  *bool          `json:"system_global"`
	MaxImages     *int           `json:"max_images_per_account"`
	Exclude       *struct {
		Selector *imageSelector `json:"selector"`
		Days     *int           `json:"expiration_days"`
	} `json:"exclude"`
}

// rule reads the body, with its defaults.
func (b ruleBody) rule(account string) engine.ArchiveRule {
	r := engine.ArchiveRule{
		Account: account, Transition: engine.Transition(b.Transition), AgeDays: either(b.AgeDays, -1), VersionsNewer: either(b.VersionsNewer, -1),
		SystemGlobal: either(b.SystemGlobal, false), MaxImages: either(b.MaxImages, 0), ExcludeDays: -1,
	}
	if b.Selector != nil {
		r.Selector = engine.ImageSelector(*b.Selector)
	}
	if b.Exclude != nil {
		r.ExcludeDays = either(b.Exclude.Days, -1)
		if b.Exclude.Selector != nil {
			r.Exclude = engine.ImageSelector(*b.Exclude.Selector)
		}
	}
	return r
}

func either[T any](v *T, otherwise T) T {
	if v == nil {
		return otherwise
	}
	return *v
}

// checkRule holds a rule against what the catalog asks of it.
func checkRule(r engine.ArchiveRule) error {
	s := r.Selector
	given := s != engine.ImageSelector{}
	switch {
	case r.MaxImages < 0:
		return errors.New("max_images_per_account must be above 0")
	case r.MaxImages > 0 && given:
		return errors.New("a rule with max_images_per_account cannot have a selector")
	case r.MaxImages > 0 && r.Transition != engine.ToArchive:
		return errors.New("a rule with max_images_per_account can only archive")
	case r.MaxImages > 0:
		return nil
	case s.Registry == "" || s.Repository == "" || s.Tag == "":
		return errors.New("a selector with registry, repository and tag is required")
	}
	const most = 512
	for _, text := range []string{s.Registry, s.Repository, s.Tag, r.Exclude.Registry, r.Exclude.Repository, r.Exclude.Tag} {
		if len(text) > most {
			return fmt.Errorf("a pattern is longer than %d bytes", most)
		}
	}
	return nil
}

func (s *Server) createArchiveRule(w http.ResponseWriter, r *request) error {
	var body ruleBody
	if err := r.decode(&body); err != nil {
		return err
	}
	rule := body.rule(r.Account)
	if rule.SystemGlobal {
		if err := r.Identity.Permit(engine.SystemDomain, "createArchiveTransitionRule"); err != nil {
			return err
		}
	} else if rule.MaxImages != 0 {
		return errorf(http.StatusBadRequest, "max_images_per_account can only be set on rules that are system_global")
	}
	err := checkRule(rule)
	if err == nil {
		rule, err = s.backend.AddArchiveRule(r.Context(), rule)
	}
	var f *engine.Fault
	switch {
	case err == nil:
		return reply(w, wireRule(rule))
	case errors.As(err, &f):
		err = errors.New(f.Message)
	case errors.Is(err, engine.ErrUnavailable), r.Context().Err() != nil:
		return err
	}
	return errorf(http.StatusInternalServerError, "Error adding rule: %s", err)
}

func (s *Server) listArchiveRules(w http.ResponseWriter, r *request) error {
	list, err := s.backend.ArchiveRules(r.Context(), r.Account, r.queryBool("system_global", true))
	if err != nil {
		return err
	}
	wire := make([]archiveRule, len(list))
	for i, a := range list {
		wire[i] = wireRule(a)
	}
	return reply(w, wire)
}

func (s *Server) getArchiveRule(w http.ResponseWriter, r *request) error {
	a, err := s.backend.ArchiveRule(r.Context(), r.Account, r.param("ruleId"))
	if err != nil {
		return missing(err, "Rule not found")
	}
	return reply(w, wireRule(a))
}

func (s *Server) deleteArchiveRule(w http.ResponseWriter, r *request) error {
	a, err := s.backend.ArchiveRule(r.Context(), r.Account, r.param("ruleId"))
	if err != nil {
		return missing(err, "Rule not found")
	}
	if a.SystemGlobal && r.Identity.Permit(engine.SystemDomain, "deleteArchiveTransitionRule") != nil {
		return engine.Forbiddenf("Non-admins cannot modify/delete system global rules")
	}
	if err := s.backend.RemoveArchiveRule(r.Context(), r.Account, a.ID); err != nil {
		return missing(err, "Rule not found")
	}
	return reply(w, nil)
}

func (s *Server) applyArchiveRules(w http.ResponseWriter, r *request) error {
	run, err := s.backend.ApplyArchiveRules(r.Context(), r.Account, r.queryBool("dry_run", true))
	if err != nil {
		return err
	}
	return reply(w, wireRun(run))
}
