package present

import (
	"strconv"
	"strings"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// PackageCSV is rows of packages, with a head first.
func PackageCSV(list []engine.Package, first bool) [][]string {
	var rows [][]string
	if first {
		rows = append(rows, []string{"name", "version", "type", "class", "path", "licences", "size", "source", "origin", "purl", "cpes"})
	}
	for _, p := range list {
		rows = append(rows, plainRow(p.Name, p.Version, p.Type, p.Class, p.Path, strings.Join(p.Licenses, ", "), strconv.FormatInt(p.Size, 10),
			p.Source, p.Origin, p.PURL, strings.Join(p.CPEs, " ")))
	}
	return rows
}

// FileCSV is rows of files, with a head first.
func FileCSV(list []engine.FileEntry, first bool) [][]string {
	var rows [][]string
	if first {
		rows = append(rows, []string{"path", "type", "mode", "uid", "gid", "size", "sha256", "link", "package", "package_version"})
	}
	for _, e := range list {
		rows = append(rows, plainRow(e.Path, e.Type, e.Mode, strconv.Itoa(e.UID), strconv.Itoa(e.GID), strconv.FormatInt(e.Size, 10), e.SHA256, e.Link,
			e.Owner.Name, e.Owner.Version))
	}
	return rows
}

// FindingCSV is what a document lists, with a head.
func FindingCSV(in ContentIn) [][]string {
	rows := [][]string{{"path", "name", "detail", "lines"}}
	list, _ := documentRows(&view.ImageContent{}, in)
	for _, r := range list {
		rows = append(rows, plainRow(r.Path, r.Name, r.Detail, r.Lines))
	}
	return rows
}

func plainRow(cells ...string) []string {
	for n, cell := range cells {
		cells[n] = engine.SheetCell(cell)
	}
	return cells
}
