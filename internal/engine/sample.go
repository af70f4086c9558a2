package engine

// SampleStatus says what of the built-in sample is present.
type SampleStatus struct {
	Images  int  // sample images of the account
	Starter bool // the starter database is the active data
	Running bool // sample images still wait or are being analyzed
}
