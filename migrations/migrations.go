// Package migrations holds the numbered SQL files that bring a database to the
// schema of this program. Files are only ever added to.
package migrations

import "embed"

// FS is the migrations in goose's form.
//
//go:embed *.sql
var FS embed.FS
