package engine

import "time"

// Overview is what one account sees of the whole engine at one moment.
type Overview struct {
	Images     map[AnalysisState]int64
	Severities Severities // over all analyzed images
	Exploited  int64      // matches known to be exploited
	Fixable    int64      // matches that a newer version fixes
	Packages   int64
	Samples    int64 // images that are samples

	Hours  []EventHour // the last 24, oldest first, none left out
	Errors []Event     // the newest errors, newest first

	FeedData    *FeedData // active; nil: none yet
	FeedSync    *FeedSync // the newest run; nil: none yet
	FeedRecords int64
	FeedsSynced int // feeds with a complete sync
	Feeds       int // enabled feeds

	Queues []QueueStat
}

// EventHour counts the events of an hour by level.
type EventHour struct {
	From         time.Time
	Info, Errors int64
}

// ImageTotal is the number of images in any state.
func (o Overview) ImageTotal() int64 {
	var n int64
	for _, v := range o.Images {
		n += v
	}
	return n
}
