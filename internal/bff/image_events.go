package bff

import (
	"cmp"
	"context"
	"slices"

	"github.com/a-h/templ"
	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates"
	"windlass/web/templates/view"
)

func (s *Server) openEvents(c *fiber.Ctx, _ view.Page, i engine.Image, _ view.Image) (templ.Component, error) {
	list, err := s.eventsOf(c.UserContext(), i)
	if err != nil {
		return nil, err
	}
	return templates.ImageEvents(present.ImageEvents(list, s.clock(c))), nil
}

// Events stand under the image's digest or under one of its tags.
const (
	eventTags  = 5  // tags whose events are looked for
	eventLimit = 50 // events that are shown
)

func (s *Server) eventsOf(ctx context.Context, i engine.Image) ([]engine.Event, error) {
	ids := []string{string(i.Digest)}
	for n, t := range i.Tags {
		if n == eventTags {
			break
		}
		ids = append(ids, t.Full())
	}
	var all []engine.Event
	for _, id := range ids {
		part, err := s.engine.Events(ctx, i.Account, engine.EventFilter{ResourceID: id}, engine.EventPage{Limit: eventLimit})
		if err != nil {
			return nil, err
		}
		all = append(all, part.Events...)
	}
	slices.SortFunc(all, func(a, b engine.Event) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.ID, b.ID)) })
	return all[:min(len(all), eventLimit)], nil
}
