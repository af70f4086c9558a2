package engine

import (
	"strings"
	"unicode/utf8"
)

// SheetCell is a text as it may stand in a cell of a CSV file. It keeps a
// spreadsheet from taking it for a formula: names of packages, paths and
// messages are whatever somebody wrote. The wide forms are what some programs
// read as the plain ones.
func SheetCell(s string) string {
	if first, _ := utf8.DecodeRuneInString(s); s != "" && strings.ContainsRune("=+-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20", first) {
		return "'" + s
	}
	return s
}
