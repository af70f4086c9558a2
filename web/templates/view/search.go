package view

// Search is what was found for a query, in groups.
type Search struct {
	Query, Count string
	Groups       []SearchGroup
	Faults       []string // what could not be searched, and why
}

// SearchGroup is what one source found; More leads to the list of all.
type SearchGroup struct {
	ID, Title, More string
	Rows            []SearchRow
}

// SearchRow leads somewhere or, with Post, does something.
type SearchRow struct {
	ID, Icon, Title, Sub string
	Href, Post           string
	Fields               []Field
	At                   Time
	Mono                 bool
}
