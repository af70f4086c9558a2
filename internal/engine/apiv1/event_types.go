package apiv1

import (
	"net/http"
	"slices"
	"strings"

	"windlass/internal/engine"
)

// EventCategory is the first part of an event type's name and all below it.
type EventCategory struct {
	Name          string             `json:"name"`
	Description   string             `json:"description"`
	Subcategories []EventSubcategory `json:"subcategories"`
}

// EventSubcategory is the second part of a name.
type EventSubcategory struct {
	Name        string           `json:"name"`
	Description string           `json:"description"`
	Events      []EventTypeEntry `json:"events"`
}

// EventTypeEntry is one event type.
type EventTypeEntry struct {
	Name         string `json:"name"` // what follows the subcategory
	Type         string `json:"type"`
	Message      string `json:"message"`
	ResourceType string `json:"resource_type"`
}

// eventPartTexts describes categories and subcategories.
var eventPartTexts = map[string]string{
	"system":                  "What the engine's operator watches: services, feeds and the work on images",
	"system.analysis_archive": "Analyses moved into the archive, back out of it, or deleted from it",
	"system.feeds":            "Synchronisation of vulnerability data",
	"system.image_analysis":   "Analysis of an image, from the look-up in its registry to the stored result",
	"system.repository":       "Repositories that are watched for new tags",
	"system.service":          "Services of the engine that come, go or stop answering",
	"system.test":             "Events made to try out event handling",
	"user":                    "What the owner of images and policies waits for",
	"user.checks":             "Results of repeated checks of an image that have changed",
	"user.image":              "Results of the analysis of an image",
	"user.policy":             "The active policy bundle or its content",
}

// eventCategories arranges the engine's event types by the parts of their
// names: categories and subcategories by name, types in order of definition.
func eventCategories(types []engine.EventType) []EventCategory {
	var list []EventCategory
	for _, t := range types {
		parts := strings.SplitN(t.Type, ".", 3)
		c := part(&list, parts[0], func(c EventCategory) string { return c.Name })
		c.Name, c.Description = parts[0], eventPartTexts[parts[0]]
		s := part(&c.Subcategories, parts[1], func(s EventSubcategory) string { return s.Name })
		s.Name, s.Description = parts[1], eventPartTexts[parts[0]+"."+parts[1]]
		s.Events = append(s.Events, EventTypeEntry{Name: parts[2], Type: t.Type, Message: t.Message, ResourceType: t.Resource})
	}
	return list
}

// part finds the entry of a name in a list sorted by name, or makes it.
func part[T any](list *[]T, name string, of func(T) string) *T {
	i, found := slices.BinarySearchFunc(*list, name, func(e T, n string) int { return strings.Compare(of(e), n) })
	if !found {
		var fresh T
		*list = slices.Insert(*list, i, fresh)
	}
	return &(*list)[i]
}

func (s *Server) listEventTypes(w http.ResponseWriter, _ *request) error {
	return reply(w, eventCategories(engine.EventTypes))
}
