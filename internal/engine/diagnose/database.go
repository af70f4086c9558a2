package diagnose

import (
	"strconv"
	"strings"
	"time"

	"windlass/internal/engine"
)

// A database slower or fuller than this is told of before it fails.
const (
	slowDatabase = 500 * time.Millisecond
	fewLeft      = 10 // connections
	longOpen     = 10 * time.Minute
)

// Database judges what the database says of itself.
func Database(d engine.DatabaseState) engine.Check {
	f := begin(engine.CheckDatabase, "PostgreSQL "+number(d.Server)+" answered in "+span(d.Took)+"; the schema is up to date.")
	grade := func(bad bool, s engine.CheckStatus) engine.CheckStatus {
		if bad {
			return s
		}
		return engine.CheckPass
	}
	slow := d.Took > slowDatabase
	f.fact(engine.CheckFact{Name: "answer", Value: "in " + span(d.Took), Status: grade(slow, engine.CheckWarn)})
	f.fact(engine.CheckFact{Name: "version", Value: d.Server})
	left := d.Limit - d.Connections
	status := grade(left < fewLeft, engine.CheckWarn)
	if left <= 0 {
		status = engine.CheckFail
	}
	f.fact(engine.CheckFact{Name: "connections", Value: strconv.Itoa(d.Connections) + " of " + strconv.Itoa(d.Limit) + " in use, " + strconv.Itoa(max(left, 0)) + " free", Status: status})
	full := d.OursLimit > 0 && d.Ours >= d.OursLimit
	f.fact(engine.CheckFact{Name: "of this process", Value: strconv.Itoa(d.Ours) + " of " + strconv.Itoa(d.OursLimit) + " busy", Status: grade(full, engine.CheckWarn)})
	schema := engine.CheckFact{Name: "schema", Value: "migration " + strconv.FormatInt(d.Schema, 10) + " of " + strconv.FormatInt(d.SchemaWant, 10), Status: engine.CheckPass}
	switch {
	case d.Schema < d.SchemaWant:
		schema.Status = engine.CheckFail
	case d.Schema > d.SchemaWant:
		schema.Status = engine.CheckWarn
	}
	f.fact(schema)
	f.fact(engine.CheckFact{Name: "size", Value: size(d.Bytes)})
	long := d.Longest > longOpen
	f.fact(engine.CheckFact{Name: "oldest transaction", Value: "open for " + span(d.Longest), Status: grade(long, engine.CheckWarn)})

	switch {
	case d.ReadOnly:
		f.say(engine.CheckFail, "The database only lets itself be read: it is a standby, or set to read only.")
		f.step(advice("Point CONSOLE_DATABASE_URL at the primary."))
	case d.Schema < d.SchemaWant:
		f.say(engine.CheckFail, "The schema is older than this program.")
		f.step(advice("Restart one host: the schema is brought up to date at every start. If that fails, its first log lines say why."))
	case left <= 0:
		f.say(engine.CheckFail, "The database has no connection left.")
		f.step(advice("Raise max_connections of PostgreSQL, or stop what else uses them."))
	}
	if left > 0 && left < fewLeft {
		f.say(engine.CheckWarn, "The database has %s left.", count(int64(left), "connection", "connections"))
		f.step(advice("Raise max_connections of PostgreSQL: each host of the engine takes up to " + strconv.Itoa(max(d.OursLimit, 1)) + "."))
	}
	if d.Schema > d.SchemaWant {
		f.say(engine.CheckWarn, "The schema is newer than this program: a newer version runs on another host.")
		f.step(advice("Bring all hosts to the same version."))
	}
	if long {
		f.say(engine.CheckWarn, "A transaction has been open for %s, which keeps the database from cleaning up.", span(d.Longest))
		f.step(advice("Find it in pg_stat_activity by its xact_start; another program may have left it open."))
	}
	if full {
		f.say(engine.CheckWarn, "All connections of this process are busy: pages and work wait for each other.")
	}
	if slow {
		f.say(engine.CheckWarn, "The database took %s to answer.", span(d.Took))
		f.step(advice("Look at the load of its host and disk."))
	}
	return f.end()
}

// DatabaseAway is the check when the database does not answer.
func DatabaseAway(why string) engine.Check {
	f := begin(engine.CheckDatabase, "")
	f.say(engine.CheckFail, "The database does not answer: %s", sentence(why))
	f.step(advice("Check that PostgreSQL runs and that CONSOLE_DATABASE_URL is right; the built-in one writes postgres.log in the data folder."))
	return f.end()
}

// number is the version alone of "15.14 (Debian 15.14-0+deb12u1)".
func number(version string) string {
	n, _, _ := strings.Cut(version, " ")
	return n
}
