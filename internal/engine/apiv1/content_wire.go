package apiv1

import (
	"path"
	"strconv"
	"strings"

	"windlass/internal/engine"
)

// osPackage is an element of the content of type os.
type osPackage struct {
	Package   string   `json:"package"`
	Version   *string  `json:"version"`
	License   *string  `json:"license"`
	Licenses  []string `json:"licenses"`
	Origin    *string  `json:"origin"`
	Size      string   `json:"size"`
	Type      string   `json:"type"`
	SourcePkg *string  `json:"sourcepkg"`
	CPEs      []string `json:"cpes"`
}

// langPackage is an element of npm, gem, python, go and binary.
type langPackage struct {
	Package  string   `json:"package"`
	Type     string   `json:"type"`
	Location string   `json:"location"`
	Version  string   `json:"version"`
	Origin   string   `json:"origin"`
	License  string   `json:"license"`
	Licenses []string `json:"licenses"`
	CPEs     []string `json:"cpes"`
}

type javaPackage struct {
	Package        string         `json:"package"`
	Type           string         `json:"type"`
	Location       string         `json:"location"`
	Specification  string         `json:"specification-version"`
	Implementation string         `json:"implementation-version"`
	Maven          string         `json:"maven-version"`
	Origin         string         `json:"origin"`
	CPEs           []string       `json:"cpes"`
	Metadata       map[string]any `json:"metadata"`
	Version        string         `json:"version"`
}

// wirePackages shapes the packages of one content class.
func wirePackages(kind string, list []engine.Package) any {
	switch kind {
	case "os":
		out := make([]osPackage, 0, len(list))
		seen := make(map[string]bool, len(list))
		for _, p := range list {
			if !seen[p.Name] { // one element a name
				seen[p.Name] = true
				out = append(out, wireOS(p))
			}
		}
		return out
	case "java":
		out := make([]javaPackage, len(list))
		for n, p := range list {
			out[n] = wireJava(p)
		}
		return out
	}
	out := make([]langPackage, len(list))
	for n, p := range list {
		out[n] = wireLang(kind, p)
	}
	return out
}

func wireOS(p engine.Package) osPackage {
	license := strings.Join(p.Licenses, " ")
	w := osPackage{
		Package: p.Name, Version: orNil(p.Version), License: orNil(license), Licenses: []string{}, Origin: orNil(p.Origin),
		Size: strconv.FormatInt(p.Size, 10), Type: p.Type, SourcePkg: orNil(p.Source), CPEs: orEmptyList(p.CPEs),
	}
	if w.Type == "apkg" || w.Type == "apk" {
		w.Type = "APKG" // in capitals here, and here only
	}
	if license != "" {
		w.Licenses = strings.Split(license, " ")
	}
	return w
}

func wireLang(kind string, p engine.Package) langPackage {
	w := langPackage{
		Package: p.Name, Type: strings.ToUpper(kind), Location: p.Path, Version: p.Version, Origin: orUnknown(p.Origin),
		License: orUnknown(strings.Join(p.Licenses, " ")), Licenses: p.Licenses, CPEs: orEmptyList(p.CPEs),
	}
	if kind == "python" {
		w.Licenses = strings.Fields(strings.Join(p.Licenses, " "))
	}
	if len(w.Licenses) == 0 {
		w.Licenses = []string{"Unknown"}
	}
	if kind == "go" || kind == "binary" {
		w.Version, w.Location = orUnknown(w.Version), orUnknown(w.Location)
	}
	return w
}

func wireJava(p engine.Package) javaPackage {
	w := javaPackage{
		Package: p.Name, Type: javaType(p.Path), Location: p.Path,
		Specification: extraText(p, "specification-version"), Implementation: extraText(p, "implementation-version"),
		Maven: extraText(p, "maven-version"), Origin: orNA(p.Origin), CPEs: orEmptyList(p.CPEs), Metadata: map[string]any{},
	}
	if m, ok := p.Extra["metadata"].(map[string]any); ok {
		w.Metadata = m
	}
	w.Version = w.Maven
	if w.Version == "N/A" && len(p.CPEs) > 0 {
		w.Version = cpeVersion(p.CPEs[0])
	}
	if w.Version == "N/A" {
		w.Version = orNA(p.Version)
	}
	return w
}

// javaType names the kind of archive: JAVA-JAR, JAVA-WAR, ... A nested archive
// is of the kind of its own name, behind the last colon.
func javaType(location string) string {
	name := location[strings.LastIndexByte(location, ':')+1:]
	ext := strings.TrimPrefix(path.Ext(name), ".")
	switch ext = strings.ToUpper(ext); ext {
	case "JAR", "WAR", "EAR", "HPI", "JPI", "PAR", "SAR", "LPKG", "KAR":
		return "JAVA-" + ext
	}
	return "JAVA-JAR"
}

// cpeVersion is the version in a CPE of either form.
func cpeVersion(cpe string) string {
	parts := strings.Split(cpe, ":")
	at := 4 // cpe:/a:vendor:product:version
	if strings.HasPrefix(cpe, "cpe:2.3:") {
		at = 5
	}
	if len(parts) <= at || parts[at] == "*" || parts[at] == "-" {
		return "N/A"
	}
	return orNA(parts[at])
}

func extraText(p engine.Package, key string) string {
	text, _ := p.Extra[key].(string)
	return orNA(text)
}

// fileEntry is an element of the content of type files.
type fileEntry struct {
	Filename string  `json:"filename"`
	LinkDest *string `json:"linkdest"`
	Size     int64   `json:"size"`
	Mode     string  `json:"mode"`
	SHA256   *string `json:"sha256"`
	Type     string  `json:"type"`
	UID      int     `json:"uid"`
	GID      int     `json:"gid"`
}

func wireFiles(list []engine.File) []fileEntry {
	out := make([]fileEntry, len(list))
	for n, f := range list {
		out[n] = fileEntry{f.Path, orNil(f.Link), f.Size, f.Mode, orNil(f.SHA256), f.Type, f.UID, f.GID}
	}
	return out
}

func orUnknown(s string) string {
	if s == "" {
		return "Unknown"
	}
	return s
}

func orNA(s string) string {
	if s == "" {
		return "N/A"
	}
	return s
}

func orEmptyList(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
