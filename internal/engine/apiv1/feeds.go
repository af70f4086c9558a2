package apiv1

// Feeds is what the feeds operations ask of the engine.
type Feeds interface{}
