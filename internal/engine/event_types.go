package engine

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// EventType is one row of the table of events the engine can emit.
type EventType struct {
	Type     string // category.subcategory.name
	Short    string // the name the troubleshooting guide knows; may be empty
	Resource string // resource type
	Level    string
	Message  string
}

// Event types, by the part of the engine that emits them.
const (
	EvAnalysisCompleted     = "user.image.analysis.completed"
	EvAnalysisFailed        = "user.image.analysis.failed"
	EvVulnUpdate            = "user.checks.tag.vulnerabilities.update"
	EvPolicyEvalUpdate      = "user.checks.tag.policy_evaluation.update"
	EvPolicyActivated       = "user.policy.active.updated"
	EvPolicyContentChanged  = "user.policy.active.content_change"
	EvVEXUpdated            = "user.policy.vex.updated"
	EvRegistryLookupFailed  = "system.image_analysis.registry_lookup_failed"
	EvImageAnalysisFailed   = "system.image_analysis.failed"
	EvCatalogSaveFailed     = "system.image_analysis.catalog_save_failed"
	EvMalwareUnscanned      = "system.image_analysis.malware_scan_failed"
	EvPolicyLoadFailed      = "system.image_analysis.policy_engine_load_failed"
	EvRestoredFromArchive   = "system.image_analysis.restored_from_archive"
	EvRestoreFailed         = "system.image_analysis.restore_from_archive_failed"
	EvManifestParseFailed   = "system.image_analysis.manifest_parse_fail"
	EvImageArchived         = "system.analysis_archive.image_archived"
	EvImageArchiveFailed    = "system.analysis_archive.image_archive_failed"
	EvArchivedDeleted       = "system.analysis_archive.archived_image_deleted"
	EvArchivedDeleteFailed  = "system.analysis_archive.archived_image_delete_failed"
	EvListTagsFailed        = "system.repository.list_tags_fail"
	EvFeedsSyncStarted      = "system.feeds.sync.started"
	EvFeedsSyncCompleted    = "system.feeds.sync.completed"
	EvFeedsSyncFailed       = "system.feeds.sync.failed"
	EvFeedStarted           = "system.feeds.sync.feed_started"
	EvFeedCompleted         = "system.feeds.sync.feed_completed"
	EvFeedFailed            = "system.feeds.sync.feed_failed"
	EvFeedGroupStarted      = "system.feeds.sync.group_started"
	EvFeedGroupCompleted    = "system.feeds.sync.group_completed"
	EvFeedGroupFailed       = "system.feeds.sync.group_failed"
	EvServiceDown           = "system.service.state_transition.down"
	EvServiceOrphaned       = "system.service.state_transition.orphaned"
	EvServiceUp             = "system.service.state_transition.up"
	EvServiceRemoved        = "system.service.removed"
	EvAuthzPluginFailed     = "system.service.authz_plugin_healthcheck_failed"
	EvAnalysisCompletedDead = "system.image_analysis.completed"
	EvRandomWisdom          = "system.test.random_wisdom"
)

// EventTypes is the whole table, in the order of definition. Three are this
// engine's own: an operator who sees a service go down wants to see it come
// back, one who asked for malware scans wants to know when there was none, and
// v1 knew no VEX documents.
var EventTypes = []EventType{
	{EvAnalysisCompleted, "image_analysis_completed", "image_tag", LevelInfo, "Image analysis available"},
	{EvAnalysisFailed, "image_analysis_failed", "image_tag", LevelError, "Failed to analyze image"},
	{EvVulnUpdate, "vuln_update", "image_tag", LevelInfo, "Vulnerability update detected for tagged image"},
	{EvPolicyEvalUpdate, "policy_eval", "image_tag", LevelInfo, "Policy evaluation update detected for a tagged image"},
	{EvPolicyActivated, "policy_activated", "policy_bundle", LevelInfo, "Active policy bundle updated to a different bundle"},
	{EvPolicyContentChanged, "policy_content_changed", "policy_bundle", LevelInfo, "Active policy bundle content changed"},
	{EvVEXUpdated, "vex_updated", "vex_document", LevelInfo, "VEX document added, enabled, disabled or deleted"},
	{EvRegistryLookupFailed, "registry_lookup_failed", "image_reference", LevelError, "Referenced image not found in registry"},
	{EvImageAnalysisFailed, "image_analysis_fail", "image_digest", LevelError, "Failed to analyze image"},
	{EvAnalysisCompletedDead, "image_analysis_complete", "image_tag", LevelInfo, "Image successfully analyzed"},
	{EvCatalogSaveFailed, "image_catalog_save_failed", "image_digest", LevelError, "Failed to load image analysis from analyzer to catalog"},
	{EvPolicyLoadFailed, "image_policy_engine_load_failed", "image_digest", LevelError, "Failed to load image analysis from analyzer to policy engine"},
	{EvMalwareUnscanned, "malware_scan_failed", "image_digest", LevelError, "Image was not, or not completely, scanned for malware"},
	{EvRestoredFromArchive, "image_restored", "image_digest", LevelInfo, "Archived image restored to active images"},
	{EvRestoreFailed, "image_restore_failed", "image_digest", LevelError, "Archived image restore to active images failed"},
	{EvManifestParseFailed, "manifest_parse_fail", "image_tag", LevelError, "Failed to parse image manifest for tag"},
	{EvImageArchived, "image_archived", "image_digest", LevelInfo, "Analyzed image added to archive"},
	{EvImageArchiveFailed, "image_archive_failed", "image_digest", LevelError, "Analyzed image migration to archive failed"},
	{EvArchivedDeleted, "archived_image_deleted", "image_digest", LevelInfo, "Archived image analysis deleted"},
	{EvArchivedDeleteFailed, "archived_image_delete_failed", "image_digest", LevelError, "Archived image analysis deletion failed"},
	{EvListTagsFailed, "list_tags_fail", "repository", LevelError, "Failed to list tags in repository"},
	{EvFeedsSyncStarted, "feed_sync_start", "feeds", LevelInfo, "Feeds sync task started"},
	{EvFeedsSyncCompleted, "feed_sync_complete", "feeds", LevelInfo, "Feeds sync task completed"},
	{EvFeedsSyncFailed, "feed_sync_failed", "feeds", LevelError, "Feeds sync task failed"},
	{EvFeedStarted, "feed_start", "feed", LevelInfo, "Feed sync started"},
	{EvFeedCompleted, "feed_complete", "feed", LevelInfo, "Feed sync completed"},
	{EvFeedFailed, "feed_failed", "feed", LevelError, "Feed sync failed"},
	{EvFeedGroupStarted, "feed_group_start", "feed_group", LevelInfo, "Feed group sync started"},
	{EvFeedGroupCompleted, "feed_group_complete", "feed_group", LevelInfo, "Feed group sync completed"},
	{EvFeedGroupFailed, "feed_group_failed", "feed_group", LevelError, "Feed group sync failed"},
	{EvServiceDown, "service_down", "service", LevelError, "Service down"},
	{EvServiceOrphaned, "service_orphaned", "service", LevelError, "Service orphaned"},
	{EvServiceUp, "service_up", "service", LevelInfo, "Service up"},
	{EvServiceRemoved, "service_removed", "service", LevelError, "Service removed"},
	{EvAuthzPluginFailed, "authz_plugin_failed", "service", LevelError, "Configured authz plugin failing health check"},
	{EvRandomWisdom, "random_wisdom", "wisdom", LevelInfo, "Unsolicited random wisdom of the moment"},
}

var eventTypeIndex = func() map[string]EventType {
	m := make(map[string]EventType, 2*len(EventTypes))
	for _, t := range EventTypes {
		m[t.Type] = t
		m[t.Short] = t
	}
	return m
}()

// EventTypeOf finds a type by its dotted or its short name.
func EventTypeOf(name string) (EventType, bool) {
	t, ok := eventTypeIndex[name]
	return t, ok
}

// ShortEventName is the guide's name of a dotted type; the last part of the
// type when the table has none.
func ShortEventName(dotted string) string {
	if t, ok := eventTypeIndex[dotted]; ok {
		return t.Short
	}
	return dotted[strings.LastIndexByte(dotted, '.')+1:]
}

// NewEvent makes an event of a type of the table, happening now. Source is the
// service that emits it; the store fills in what is left.
func NewEvent(eventType, account, resourceID string, details map[string]any, source Source) Event {
	t := eventTypeIndex[eventType]
	if details == nil {
		details = map[string]any{}
	}
	return Event{
		ID: NewID(), Account: account, Type: eventType, Level: t.Level, Message: t.Message,
		Details: details, At: time.Now().UTC(), ResourceType: t.Resource, ResourceID: resourceID,
		Service: source.Service, Host: source.Host, BaseURL: source.BaseURL, Count: 1,
	}
}

// Source names the service that emits an event.
type Source struct{ Service, Host, BaseURL string }

// NewID is a fresh random identifier of 32 hex characters.
func NewID() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// NewUUID is a fresh random identifier in the form with dashes.
func NewUUID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80 // version 4
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
