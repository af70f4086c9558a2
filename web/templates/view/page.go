// Package view holds the plain data that templates draw: every field is what
// is shown, already as text, tone and address. It imports nothing of ours.
package view

// Page is what the frame around a page needs. A handler gets one from
// Server.page and adds nothing to it but, at times, a different Title.
type Page struct {
	Title   string
	Active  string // key of the rail's item this page belongs to
	Path    string // path and query of this page: where the small forms come back to
	User    string
	Account string
	CSRF    string
	Theme   string // light, dark, or empty: as the system has it
	Zone    string // utc or local
	Rail    string // icons, or empty
	Density string // compact, or empty
	Status  Pill   // of the whole engine
	Seq     int64  // newest change that this page has in it
	Flash   *Flash
	Nav     []Nav  // what the user can open
	Drawn   string // when, for paper
	Lacks   *Lacks // what the engine has nothing for
}

// Lacks is what the console could show and its engine does not have.
type Lacks struct {
	Engine string          // what it is, and where; empty: nothing is known to lack
	Pages  map[string]bool // addresses of pages that can only say so
	Parts  []string        // of this page
}

// Some reports whether a part of this page lacks.
func (l *Lacks) Some() bool { return l != nil && len(l.Parts) > 0 }

// Nav is one item of the rail; Gap leaves room before it, Docked ones stand in
// the bar of a phone, those that Lack can only say that the engine has nothing
// for them.
type Nav struct {
	Key, Label, Icon, Href, Hotkey string
	Gap, Docked, Lack              bool
}

// Preference is a choice of how the console is drawn.
type Preference struct {
	Name, Label string
	Options     []Option
}

// Pill is a state in a word, with a tone (ok, warn, bad, run, off, or empty)
// and, when there is more to see, an address.
type Pill struct{ Tone, Text, Href, Title string }

// Flash is what the action before this page has to say; Undo is the address
// of a POST form that takes it back.
type Flash struct {
	Tone string // bad or empty
	Text string
	Undo string
}

// Time is a moment: Text as shown, Style (ago, exact, clock, until) as the
// script redraws it, ISO for machines, Title on hover. The zero Time shows Text alone.
type Time struct{ ISO, Text, Style, Title string }

// Pager leads to the neighbouring pages; an empty address is not offered.
type Pager struct{ Text, First, Prev, Next string }

// Meter is progress: Max 0 means that the end is not known.
type Meter struct {
	Label, Text string
	Value, Max  int64
}

// Sev is a count of one severity; Class is c, h, m, l, n or u.
type Sev struct {
	Name, Class, Letter string
	Count               string
	Href                string
	N                   int
}

// SevBar is the severities of something, worst first, and what they sum to.
type SevBar struct {
	List  []Sev
	Total int
	Text  string // for those who do not see the bar
}

// SameBy shows how to get what a page shows without the page.
type SameBy struct{ API, CLI string }

// Error is what an error page says.
type Error struct {
	Code           int
	Title, Message string
	Next           string // what to try
	Request        string // id to look for in the log
}

// Login is the signed-out page's form.
type Login struct {
	User, Next, Fault string
	Wait              string // how long to wait before the next try
	Theme             string
	Zone              string
}

// Crumb is one step of the way to a page.
type Crumb struct{ Text, Href string }
