package engine

// Overview is what one account sees of the whole engine at one moment.
type Overview struct {
	Images     map[AnalysisState]int64
	Severities Severities // over all analyzed images
	Exploited  int64      // matches known to be exploited
	Fixable    int64      // matches that a newer version fixes
	Packages   int64
	Samples    int64 // images that are samples
	Unsummed   bool  // the sums above, beside Images, are not known

	Hours  []EventHour // of the last 24 hours, oldest first; quiet hours are left out
	Errors []Event     // the newest errors, newest first

	FeedData    *FeedData // active; nil: none yet
	FeedSync    *FeedSync // the newest run; nil: none yet
	FeedRecords int64
	FeedsSynced int // feeds with a complete sync
	Feeds       int // enabled feeds

	Queues []QueueStat
}

// ImageTotal is the number of images in any state.
func (o Overview) ImageTotal() int64 {
	var n int64
	for _, v := range o.Images {
		n += v
	}
	return n
}
