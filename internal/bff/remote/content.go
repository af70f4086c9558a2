package remote

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"windlass/internal/engine"
)

// contentLife is how long what an image holds is kept: it changes only when
// the image is analyzed again.
const contentLife = 10 * time.Second

type wirePackage struct {
	Name     string   `json:"package"`
	Version  string   `json:"version"`
	Type     string   `json:"type"`
	Location string   `json:"location"`
	License  string   `json:"license"`
	Licenses []string `json:"licenses"`
	Origin   string   `json:"origin"`
	Source   string   `json:"sourcepkg"`
	Size     any      `json:"size"`
	CPEs     []string `json:"cpes"`
	Maven    string   `json:"maven-version"`
	Impl     string   `json:"implementation-version"`
	Spec     string   `json:"specification-version"`
}

// unsaid are the words that v1 has where nothing is known.
func unsaid(s string) string {
	switch s {
	case "N/A", "Unknown", "None", "null":
		return ""
	}
	return s
}

func packageOf(class string, w wirePackage) engine.Package {
	p := engine.Package{
		Name: w.Name, Version: unsaid(w.Version), Type: strings.ToLower(w.Type), Class: class, Path: unsaid(w.Location), Origin: unsaid(w.Origin),
		Source: unsaid(w.Source), CPEs: w.CPEs,
	}
	if class == "java" {
		p.Version = cmp.Or(p.Version, unsaid(w.Maven), unsaid(w.Impl), unsaid(w.Spec))
	}
	if class == "os" && p.Path == "" {
		p.Path = "pkgdb"
	}
	switch size := w.Size.(type) {
	case string:
		p.Size, _ = strconv.ParseInt(size, 10, 64)
	case float64:
		p.Size = int64(size)
	}
	for _, l := range w.Licenses {
		if l = unsaid(l); l != "" {
			p.Licenses = append(p.Licenses, l)
		}
	}
	if len(p.Licenses) == 0 && unsaid(w.License) != "" {
		p.Licenses = []string{w.License}
	}
	// v1 has no key of a package: this is made of what tells it apart, so that
	// an address goes on naming it.
	sum := sha256.Sum256([]byte(class + "\x00" + p.Name + "\x00" + p.Version + "\x00" + p.Path))
	p.Key = hex.EncodeToString(sum[:8])
	return p
}

// packages is every package of an image, by class, name and version.
func (c *Client) packages(ctx context.Context, account, digest string) ([]engine.Package, error) {
	return kept(ctx, c, account, "packages "+digest, contentLife, func(ctx context.Context) ([]engine.Package, error) {
		var classes []string
		if err := c.get(ctx, account, path("images", digest, "content"), nil, &classes); err != nil {
			return nil, err
		}
		var list []engine.Package
		for _, class := range classes {
			if class == "files" || class == "malware" {
				continue
			}
			var body struct {
				Content []wirePackage `json:"content"`
			}
			err := c.get(ctx, account, path("images", digest, "content", class), nil, &body)
			if errors.Is(err, engine.ErrNotFound) || errors.Is(err, engine.ErrInvalid) {
				continue // v1 answers a class that was not looked for like this
			}
			if err != nil {
				return nil, err
			}
			for _, w := range body.Content {
				list = append(list, packageOf(class, w))
			}
		}
		slices.SortStableFunc(list, func(a, b engine.Package) int {
			return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Version, b.Version), strings.Compare(a.Path, b.Path))
		})
		return list, nil
	})
}

// PackagePage is one page of the packages that a filter selects, and how many
// there are in all.
func (c *Client) PackagePage(ctx context.Context, account, digest string, f engine.PackageFilter) ([]engine.Package, int, error) {
	all, err := c.packages(ctx, account, digest)
	if err != nil {
		return nil, 0, err
	}
	low := strings.ToLower(f.Text)
	has := func(s string) bool { return strings.Contains(strings.ToLower(s), low) }
	var list []engine.Package
	for _, p := range all {
		if (f.Class == "" || p.Class == f.Class) && (f.Key == "" || p.Key == f.Key) && (low == "" || has(p.Name) || has(p.Version) || has(p.Path)) {
			list = append(list, p)
		}
	}
	if f.All {
		return list, len(list), nil
	}
	return window(list, f.Offset, f.Limit), len(list), nil
}

// window cuts a page out of a list.
func window[T any](list []T, offset, limit int) []T {
	if limit < 1 || limit > 1000 {
		limit = 100
	}
	offset = min(max(offset, 0), len(list))
	return list[offset:min(offset+limit, len(list))]
}

// PackageClasses counts packages by class.
func (c *Client) PackageClasses(ctx context.Context, account, digest string) (map[string]int, error) {
	all, err := c.packages(ctx, account, digest)
	counts := map[string]int{}
	for _, p := range all {
		counts[p.Class]++
	}
	return counts, err
}

// PackageSummary counts packages by type and licence.
func (c *Client) PackageSummary(ctx context.Context, account, digest string) (engine.PackageSummary, error) {
	all, err := c.packages(ctx, account, digest)
	v := engine.PackageSummary{Total: len(all)}
	types, licenses := map[string]int{}, map[string]int{}
	for _, p := range all {
		types[p.Type]++
		if len(p.Licenses) == 0 {
			v.Unlicensed++
		}
		for _, l := range p.Licenses {
			licenses[l]++
		}
	}
	v.LicenseNames = len(licenses)
	for _, name := range most(types, len(types)) {
		v.Types = append(v.Types, engine.NamedCount{Name: name, Count: types[name]})
	}
	for _, name := range most(licenses, 12) {
		v.Licenses = append(v.Licenses, engine.NamedCount{Name: name, Count: licenses[name]})
	}
	return v, err
}

type wireFile struct {
	Name   string  `json:"filename"`
	Link   *string `json:"linkdest"`
	Size   int64   `json:"size"`
	Mode   string  `json:"mode"`
	SHA256 *string `json:"sha256"`
	Type   string  `json:"type"`
	UID    int     `json:"uid"`
	GID    int     `json:"gid"`
}

// FilePage is one page of the files. Folders are made of the paths, and v1
// does not tell which package a file belongs to.
func (c *Client) FilePage(ctx context.Context, account, digest string, q engine.FileQuery) (engine.FilePage, error) {
	if q.Owner != "" {
		return engine.FilePage{}, engine.NotFoundf("This engine does not tell which files belong to a package.")
	}
	all, err := kept(ctx, c, account, "files "+digest, contentLife, func(ctx context.Context) ([]engine.File, error) {
		var body struct {
			Content []wireFile `json:"content"`
		}
		err := c.call(ctx, call{method: "GET", path: path("images", digest, "content", "files"), account: account, out: &body, most: maxFiles})
		list := make([]engine.File, len(body.Content))
		for n, w := range body.Content {
			list[n] = engine.File{
				Path: w.Name, Link: text(w.Link), Size: w.Size, Mode: w.Mode, SHA256: text(w.SHA256), Type: w.Type, UID: w.UID, GID: w.GID,
			}
		}
		slices.SortFunc(list, func(a, b engine.File) int { return strings.Compare(a.Path, b.Path) })
		return list, err
	})
	if err != nil {
		return engine.FilePage{}, err
	}
	list := selectFiles(all, q)
	return engine.FilePage{Entries: window(list, q.Offset, q.Limit), Total: len(list)}, nil
}

// selectFiles lists what a query selects: what stands in a folder with the sums
// of its folders, or every file below it.
func selectFiles(all []engine.File, q engine.FileQuery) []engine.FileEntry {
	folder := "/" + strings.Trim(q.Folder, "/")
	prefix := strings.TrimSuffix(folder, "/") + "/"
	low := strings.ToLower(q.Text)
	var list []engine.FileEntry
	folders := map[string]int{}
	for _, f := range all {
		if !strings.HasPrefix(f.Path, prefix) || f.Path == prefix {
			continue
		}
		if low != "" && !strings.Contains(strings.ToLower(f.Path), low) && f.SHA256 != low {
			continue
		}
		name, _, deeper := strings.Cut(f.Path[len(prefix):], "/")
		if !q.Browse || !deeper && f.Type != "dir" {
			if q.Browse || f.Type != "dir" {
				list = append(list, engine.FileEntry{File: f})
			}
			continue
		}
		at, known := folders[name]
		if !known {
			at = len(list)
			folders[name] = at
			list = append(list, engine.FileEntry{Folder: true, File: engine.File{Path: prefix + name, Type: "dir"}})
		}
		if !deeper {
			list[at].File = f
		} else if f.Type != "dir" {
			list[at].Files++
			list[at].Bytes += f.Size
		}
	}
	if q.Browse {
		slices.SortStableFunc(list, func(a, b engine.FileEntry) int {
			if a.Folder != b.Folder {
				return map[bool]int{true: -1, false: 1}[a.Folder]
			}
			return strings.Compare(a.Path, b.Path)
		})
	}
	return list
}

// artifacts are documents that v1 gives out as lists.
var artifacts = map[string]string{
	engine.DocRetrieved: "retrieved_files", engine.DocSecrets: "secret_search", engine.DocContentSearch: "file_content_search",
}

// Document is one of an image's documents.
func (c *Client) Document(ctx context.Context, account, name, digest string) ([]byte, error) {
	switch name {
	case engine.DocManifest, engine.DocHistory, engine.DocDockerfile:
		var body struct {
			Metadata any `json:"metadata"`
		}
		err := c.get(ctx, account, path("images", digest, "metadata", name), nil, &body)
		if errors.Is(err, engine.ErrInvalid) {
			return nil, engine.NotFoundf("There is no such document of this image.")
		}
		if err != nil {
			return nil, err
		}
		return unwrap(body.Metadata)
	case engine.DocMalware:
		var body struct {
			Content json.RawMessage `json:"content"`
		}
		err := c.get(ctx, account, path("images", digest, "content", "malware"), nil, &body)
		return some(body.Content, err)
	}
	if at, ok := artifacts[name]; ok {
		var body json.RawMessage
		err := c.get(ctx, account, path("images", digest, "artifacts", at), nil, &body)
		return some(body, err)
	}
	return nil, engine.NotFoundf("This engine does not give out that document.")
}

// some is a list that has something in it.
func some(list json.RawMessage, err error) ([]byte, error) {
	if errors.Is(err, engine.ErrInvalid) || err == nil && (len(list) < 3 || string(list) == "null") {
		return nil, engine.NotFoundf("There is no such document of this image.")
	}
	return list, err
}

// unwrap reads metadata, which are base64 in lines, or objects.
func unwrap(v any) ([]byte, error) {
	switch v := v.(type) {
	case string:
		flat := strings.Join(strings.Fields(v), "")
		if raw, err := base64.StdEncoding.DecodeString(flat); err == nil {
			return raw, nil
		}
		return []byte(v), nil
	case []any:
		if len(v) == 0 {
			return nil, engine.NotFoundf("There is no such document of this image.")
		}
	case nil:
		return nil, engine.NotFoundf("There is no such document of this image.")
	}
	return json.Marshal(v)
}
