package remote

//go:generate go run ./genlacking .. lacking.go
