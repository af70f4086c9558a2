package store

// The advisory locks of the database, in one place so that no two mean the
// same number.
const (
	// changeLock orders announcements; see record.
	changeLock = 7301
	// feedLock is held, by a session and not a transaction, by the one sync
	// that may run on all hosts; it falls with the connection.
	feedLock = 7302
	// switchLock stands between a switch of the data and analyses that end at
	// that moment: a switch holds it alone, analyses share it.
	switchLock = 7303
	// evaluationLock orders the evaluations of one image under one tag; its
	// second key says which.
	evaluationLock = 7371
	// countLock is held by the one who draws counts together: two would take
	// the same rows in different orders.
	countLock = 7330
)
