package queue

import (
	"math/rand/v2"
	"time"
)

// Bounds of the pause between two attempts at a job.
const (
	firstPause = 5 * time.Second
	maxPause   = 10 * time.Minute
	// maxAsked bounds how long a job waits because somebody asked for it, as a
	// registry does whose rate limit is reached: theirs are given by the hour.
	maxAsked = 6 * time.Hour
)

// Pause is the time to wait after the given number of attempts: 5 s, 10 s,
// 20 s, up to 10 minutes, or for as long as was asked for when that is longer.
// Up to a quarter is added at random, so that the jobs that one outage ended
// together do not come back together.
func Pause(attempt int, asked time.Duration) time.Duration {
	pause := min(firstPause<<min(max(attempt-1, 0), 10), maxPause)
	pause = max(pause, min(asked, maxAsked))
	return pause + rand.N(pause/4+1)
}
