package apiv1

// System is what the system operations ask of the engine.
type System interface{}
