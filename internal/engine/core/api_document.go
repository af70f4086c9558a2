package core

import "windlass/internal/engine"

// APIDocument tells the operations of the API.
func (c *Core) APIDocument() ([]engine.APIGroup, error) { return c.describe() }
