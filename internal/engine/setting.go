package engine

// Setting is one setting of the program as it runs, fit to be shown: a secret
// says only that it is set.
type Setting struct {
	Name    string // CONSOLE_...
	Value   string
	Default string
}
