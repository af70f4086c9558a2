package apiv1

// Auth is what the auth operations ask of the engine.
type Auth interface{}
