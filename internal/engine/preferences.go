package engine

import "slices"

// Preferences is how a user likes the console drawn. An empty field has not
// been chosen: the console then does what suits most.
type Preferences struct {
	Theme    string // system, light, dark
	Zone     string // of times: utc, local (the browser's)
	Rail     string // labels, icons
	Density  string // of rows: normal, compact
	PageSize int    // rows of a list, or OwnPageSize
}

// OwnPageSize leaves it to each list how many rows it shows.
const OwnPageSize = -1

// The choices there are.
var (
	Themes    = []string{"system", "light", "dark"}
	Zones     = []string{"utc", "local"}
	Rails     = []string{"labels", "icons"}
	Densities = []string{"normal", "compact"}
	PageSizes = []int{OwnPageSize, 25, 50, 100, 200, 500}
)

// Known is p without the choices that do not exist.
func (p Preferences) Known() Preferences {
	for _, f := range []struct {
		value   *string
		choices []string
	}{{&p.Theme, Themes}, {&p.Zone, Zones}, {&p.Rail, Rails}, {&p.Density, Densities}} {
		if !slices.Contains(f.choices, *f.value) {
			*f.value = ""
		}
	}
	if !slices.Contains(PageSizes, p.PageSize) {
		p.PageSize = 0
	}
	return p
}

// Or is p with what it leaves open taken from q.
func (p Preferences) Or(q Preferences) Preferences {
	for _, f := range []struct {
		value *string
		other string
	}{{&p.Theme, q.Theme}, {&p.Zone, q.Zone}, {&p.Rail, q.Rail}, {&p.Density, q.Density}} {
		if *f.value == "" {
			*f.value = f.other
		}
	}
	if p.PageSize == 0 {
		p.PageSize = q.PageSize
	}
	return p
}
