package engine

// Feature is a part of the console that not every engine has something for.
type Feature string

// The features whose pages say so when the engine has nothing for them.
const (
	FeatureLogs          Feature = "logs"
	FeatureQueues        Feature = "queues"
	FeatureChecks        Feature = "checks"
	FeatureVEX           Feature = "vex"
	FeatureNotifications Feature = "notifications" // what became of each
	FeatureWebhooks      Feature = "webhooks"
	FeatureAudit         Feature = "audit"
	FeatureSavedFilters  Feature = "savedfilters" // of events
	FeatureRetention     Feature = "retention"    // of events
	FeatureAPIDocument   Feature = "api"
	FeatureUpload        Feature = "upload"   // of image archives
	FeatureFeedData      Feature = "feeddata" // data as a whole: its uploads and its roll back
)
