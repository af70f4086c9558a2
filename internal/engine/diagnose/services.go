package diagnose

import (
	"strings"
	"time"

	"windlass/internal/engine"
)

// Answer is how one instance of the API answered.
type Answer struct {
	Service engine.Service
	Took    time.Duration
	Err     string // empty: it answered
	Asks    bool   // for credentials, where they are needed
	Tried   bool   // with a token of who asks
	Takes   bool   // that token
}

const slowAnswer = time.Second

// API judges how the instances of the API answer at their addresses.
func API(list []Answer) engine.Check {
	f := begin(engine.CheckAPI, "")
	answered := 0
	for _, a := range list {
		s := a.Service
		fact := engine.CheckFact{Name: s.BaseURL, Value: "answered in " + span(a.Took), Status: engine.CheckPass, Place: at("services", s.Key())}
		switch {
		case a.Err != "":
			fact.Value, fact.Status = "does not answer: "+a.Err, engine.CheckFail
			f.say(engine.CheckWarn, "%s on %s does not answer at its address; others do.", s.Name, s.Host)
			f.step(see("Open apiext on "+s.Host, "services", s.Key()))
			f.step(see("Its log", "logs", "", "service", s.Name))
		case a.Took > slowAnswer:
			answered++
			fact.Status = engine.CheckWarn
			f.say(engine.CheckWarn, "The API on %s took %s to answer.", s.Host, span(a.Took))
			f.step(see("Its log", "logs", "", "service", s.Name))
		default:
			answered++
		}
		f.fact(fact)
	}
	switch {
	case len(list) == 0:
		f.say(engine.CheckFail, "No instance of apiext has registered: nobody can use the API.")
		f.step(advice("Start a process whose CONSOLE_SERVICES has apiext, or is empty."))
	case answered == 0:
		f.Status, f.Summary = engine.CheckFail, "The API answers at none of its addresses."
	}
	f.fine = "The API answers at " + count(int64(answered), "address.", "addresses.")
	return f.end()
}

// Login is what is known of the credentials in use.
type Login struct {
	User, Account string
	Found         bool // both are known
	State         engine.AccountState
	Asks          []Answer // of each API instance, to a request without credentials
	Unreadable    []string // registries whose stored password the secret key does not open
}

// Credentials judges whether who is signed in may be, and the door is closed to
// whoever is not.
func Credentials(l Login) engine.Check {
	f := begin(engine.CheckCredentials, l.User+" of account "+l.Account+" is known, and the API asks for a password.")
	who := engine.CheckFact{Name: "signed in", Value: l.User + ", account " + l.Account, Status: engine.CheckPass}
	switch {
	case !l.Found:
		who.Status = engine.CheckFail
		f.say(engine.CheckFail, "%s of account %s is no longer known: the next request will be refused.", l.User, l.Account)
		f.step(advice("Sign in as another user."))
	case l.State != engine.AccountEnabled:
		who.Status = engine.CheckFail
		f.say(engine.CheckFail, "The account %s is %s: its users may do nothing.", l.Account, l.State)
		f.step(advice("Have an administrator enable the account: anchore-cli account enable " + l.Account))
	}
	f.fact(who)
	for _, a := range l.Asks {
		fact := engine.CheckFact{Name: a.Service.BaseURL, Value: "asks for a password", Status: engine.CheckPass}
		switch {
		case a.Err != "":
			fact.Value, fact.Status = "not asked: "+a.Err, engine.CheckUnknown
			f.say(engine.CheckUnknown, "The API on %s could not be asked.", a.Service.Host)
		case !a.Asks:
			fact.Value, fact.Status = "answers without a password", engine.CheckFail
			f.say(engine.CheckFail, "What answers at %s asks for no password: it is not this engine's API.", a.Service.BaseURL)
			f.step(see("Open apiext on "+a.Service.Host, "services", a.Service.Key()))
		case a.Tried && !a.Takes:
			fact.Value, fact.Status = "asks for a password, and refuses a token made for "+l.User, engine.CheckFail
			f.say(engine.CheckFail, "The API on %s refuses a token that was just made for %s.", a.Service.Host, l.User)
			f.step(see("Log of apiext", "logs", "", "service", engine.APIExt))
		case a.Tried:
			fact.Value = "asks for a password, and takes a token of " + l.User
		}
		f.fact(fact)
	}
	if n := len(l.Unreadable); n > 0 {
		f.say(engine.CheckFail, "The secret key does not open the stored %s of %s.", map[bool]string{true: "password", false: "passwords"}[n == 1], trim(strings.Join(l.Unreadable, ", "), 120))
		f.fact(engine.CheckFact{Name: "unreadable passwords", Value: trim(strings.Join(l.Unreadable, ", "), 200), Status: engine.CheckFail, Place: at("registries", "")})
		f.step(advice("Give every host the same CONSOLE_SECRET_KEY, the one that the passwords were stored with."))
		f.step(see("Or store the passwords again", "registries", ""))
	}
	return f.end()
}

// Services judges whether every kind of service has an instance that is up.
func Services(list []engine.Service) engine.Check {
	f := begin(engine.CheckServices, count(int64(len(list)), "instance is up.", "instances are up."))
	for _, name := range engine.ServiceNames {
		var up, down []engine.Service
		for _, s := range list {
			switch {
			case s.Name != name:
			case s.Up():
				up = append(up, s)
			default:
				down = append(down, s)
			}
		}
		fact := engine.CheckFact{Name: name, Status: engine.CheckPass, Place: at("services", "")}
		switch {
		case len(up)+len(down) == 0:
			fact.Value, fact.Status = "never started", engine.CheckFail
			f.say(engine.CheckFail, "There is no %s.", name)
			f.step(advice("Start a process whose CONSOLE_SERVICES has " + name + ", or is empty."))
		case len(up) == 0:
			fact.Value, fact.Status = said(down[0]), engine.CheckFail
			f.say(engine.CheckFail, "%s is down: %s", name, sentence(said(down[0])))
		case len(down) > 0:
			fact.Value, fact.Status = count(int64(len(up)), "up", "up")+", "+count(int64(len(down)), "not", "not"), engine.CheckWarn
			f.say(engine.CheckWarn, "%s on %s is %s; another does its work.", name, down[0].Host, down[0].State)
		default:
			fact.Value = "up on " + hosts(up)
		}
		if len(up)+len(down) == 1 {
			fact.Place = at("services", append(up, down...)[0].Key())
		}
		for _, s := range down {
			f.step(see("Open "+name+" on "+s.Host, "services", s.Key()))
			f.step(see("Log of "+name, "logs", "", "service", name))
		}
		f.fact(fact)
	}
	return f.end()
}

func hosts(list []engine.Service) string {
	var names []string
	for _, s := range list {
		names = append(names, s.Host)
	}
	if len(names) > 3 {
		return strings.Join(names[:3], ", ") + " and " + count(int64(len(names)-3), "more host", "more hosts")
	}
	return strings.Join(names, ", ")
}

// said is the state of a service with what it says of it.
func said(s engine.Service) string {
	if s.Detail.Message == "" {
		return string(s.State)
	}
	return string(s.State) + ", " + s.Detail.Message
}

func sentence(s string) string { return strings.TrimSuffix(s, ".") + "." }

// A heartbeat comes every five seconds; the catalog calls a service down after
// a minute without, or at once when its address does not answer either.
const (
	lateBeat = 20 * time.Second
	lostBeat = time.Minute
)

// Heartbeats judges how long ago each service was heard of.
func Heartbeats(list []engine.Service, now time.Time) engine.Check {
	f := begin(engine.CheckHeartbeats, "")
	oldest := time.Duration(0)
	for _, s := range list {
		age := now.Sub(s.HeartbeatAt)
		oldest = max(oldest, age)
		fact := engine.CheckFact{Name: s.Name + " on " + s.Host, Value: "heard of", At: s.HeartbeatAt, Status: engine.CheckPass, Place: at("services", s.Key())}
		switch {
		case age >= lostBeat && !s.Up():
			fact.Status = engine.CheckWarn // known to be gone: the check of services says whether it is missed
			f.say(engine.CheckWarn, "%s on %s has been silent for %s and counts as %s.", s.Name, s.Host, span(age), s.State)
			f.step(see("Remove the records of hosts that are gone", "services", ""))
		case age >= lostBeat:
			fact.Status = engine.CheckFail
			f.say(engine.CheckFail, "%s on %s counts as up and has been silent for %s: nobody watches the services.", s.Name, s.Host, span(age))
			f.step(see("Log of catalog, which watches them", "logs", "", "service", engine.Catalog))
		case age >= lateBeat:
			fact.Status = engine.CheckWarn
			f.say(engine.CheckWarn, "%s on %s is late: %s since its last heartbeat.", s.Name, s.Host, span(age))
			f.step(see("Log of "+s.Name, "logs", "", "service", s.Name))
		}
		f.fact(fact)
	}
	if len(list) == 0 {
		f.say(engine.CheckUnknown, "No service has registered.")
	}
	f.fine = "The oldest is from " + span(oldest) + " ago."
	return f.end()
}

// Clocks that differ by more make times in events and logs misleading, and
// then leases end early.
const (
	skewWarn = 2 * time.Second
	skewFail = 10 * time.Second
)

// HostClock is how far a host's clock is ahead of the database's.
type HostClock struct {
	Host  string
	Ahead time.Duration
	Told  time.Time
}

// Clocks judges how far the hosts' clocks are from the database's, which all
// leases and times of record go by.
func Clocks(list []HostClock) engine.Check {
	f := begin(engine.CheckClocks, "")
	widest := time.Duration(0)
	for _, h := range list {
		d := h.Ahead.Abs()
		widest = max(widest, d)
		fact := engine.CheckFact{Name: h.Host, Value: span(d) + " ahead of the database", At: h.Told, Status: engine.CheckPass}
		if h.Ahead < 0 {
			fact.Value = span(d) + " behind the database"
		}
		if d < 100*time.Millisecond {
			fact.Value = "agrees with the database"
		}
		switch {
		case d >= skewFail:
			fact.Status = engine.CheckFail
			f.say(engine.CheckFail, "The clock of %s is %s off: leases may lapse while work goes on, and times of logs mislead.", h.Host, span(d))
		case d >= skewWarn:
			fact.Status = engine.CheckWarn
			f.say(engine.CheckWarn, "The clock of %s is %s off: times of its log lines mislead.", h.Host, span(d))
		}
		f.fact(fact)
	}
	switch {
	case len(list) == 0:
		f.say(engine.CheckUnknown, "No host has told its time yet.")
	case f.Status != engine.CheckPass:
		f.step(advice("Run a time service (chrony, systemd-timesyncd) on that host and on the database's."))
	}
	f.fine = "All are within " + span(max(widest, 100*time.Millisecond)) + "."
	return f.end()
}
