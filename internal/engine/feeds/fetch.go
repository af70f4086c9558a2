package feeds

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"
	"time"

	"windlass/internal/engine"
)

// Limits on what a source may send, and on its silence.
const (
	maxListing = 1 << 20
	maxArchive = 8 << 30
	silence    = time.Minute // without a byte: the connection is dead
)

// listing is the source's announcement of its newest archive.
type listing struct {
	Status   string    `json:"status"`
	Schema   string    `json:"schemaVersion"`
	Built    time.Time `json:"built"`
	Path     string    `json:"path"`
	Checksum string    `json:"checksum"` // sha256:<64 hex>

	url string // of the archive
}

// id under which the archive is installed.
func (l listing) id() string { return dataID(l.Checksum) }

// dataID is the first 16 hex digits of a checksum.
func dataID(checksum string) string {
	return strings.TrimPrefix(checksum, "sha256:")[:16]
}

// client has no limit on the whole exchange: an archive may take an hour on a
// thin line. Silence is what ends it.
func client() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext
	t.TLSHandshakeTimeout = 10 * time.Second
	t.ResponseHeaderTimeout = 30 * time.Second
	// The archive is compressed, and a Range of a compressed transfer would be
	// a range of something else.
	t.DisableCompression = true
	return &http.Client{Transport: t}
}

// listingURL is where the source announces: an address of a JSON file itself,
// or the base under which the public layout has it.
func listingURL(base string) string {
	if strings.HasSuffix(base, ".json") {
		return base
	}
	return strings.TrimRight(base, "/") + "/v6/latest.json"
}

// latest asks the source for its newest archive.
func latest(ctx context.Context, c *http.Client, base string) (listing, error) {
	ctx, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	at := listingURL(base)
	res, err := get(ctx, c, at, 0)
	if err != nil {
		return listing{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxListing+1))
	if err != nil {
		return listing{}, network(err, res.Request.URL.Host)
	}
	if len(body) > maxListing {
		return listing{}, fail(CauseFormat, "The listing of the feed source is too long to be one.", nil)
	}
	return parseListing(body, at)
}

// parseListing reads a listing that was found at an address.
func parseListing(body []byte, at string) (listing, error) {
	var l listing
	if err := json.Unmarshal(body, &l); err != nil {
		return listing{}, fail(CauseFormat, "The feed source did not answer with a listing of databases.", err)
	}
	sum, ok := strings.CutPrefix(l.Checksum, "sha256:")
	if raw, err := hex.DecodeString(sum); !ok || err != nil || len(raw) != sha256.Size {
		return listing{}, fail(CauseFormat, "The listing names no SHA-256 checksum of its archive.", nil)
	}
	l.Checksum = strings.ToLower(l.Checksum)
	if v := strings.TrimPrefix(l.Schema, "v"); v != "6" && !strings.HasPrefix(v, "6.") {
		return listing{}, fail(CauseFormat, fmt.Sprintf("The source offers databases of schema %q; this program reads version 6.", l.Schema), nil)
	}
	u, err := url.Parse(at)
	if err != nil || l.Path == "" {
		return listing{}, fail(CauseFormat, "The listing names no archive.", err)
	}
	// Relative to the listing, and below its folder: a listing is foreign input.
	u.Path = path.Join(path.Dir(u.Path), path.Join("/", l.Path))
	u.RawPath, u.RawQuery = "", ""
	l.url = u.String()
	return l, nil
}

// get asks for a resource from an offset on. The caller closes the body.
func get(ctx context.Context, c *http.Client, at string, from int64) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, fail(CauseConnection, "The address of the feed source is not one.", err)
	}
	req.Header.Set("User-Agent", "windlass/"+engine.Version)
	if from > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", from))
	}
	res, err := c.Do(req)
	if err != nil {
		return nil, network(err, req.URL.Host)
	}
	switch s := res.StatusCode; {
	case s == http.StatusOK, s == http.StatusPartialContent && from > 0, s == http.StatusRequestedRangeNotSatisfiable && from > 0:
		return res, nil
	case s == http.StatusProxyAuthRequired:
		err = &failure{CauseProxy, "The proxy asks for a login.", nil}
	case s >= 500:
		err = &failure{CauseHTTP5xx, fmt.Sprintf("%s answered %s.", req.URL.Host, res.Status), nil}
	default:
		err = &failure{CauseHTTP4xx, fmt.Sprintf("%s answered %s for %s.", req.URL.Host, res.Status, req.URL.Path), nil}
	}
	res.Body.Close()
	return nil, err
}

// download brings the archive to file, going on where an earlier try ended,
// and returns its SHA-256 as it passes by.
func download(ctx context.Context, c *http.Client, l listing, file string, p *progress) (string, error) {
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return "", fail(CauseDisk, "The archive cannot be written to the data folder.", err)
	}
	defer f.Close()
	sum := sha256.New()
	have, err := io.Copy(sum, f)
	if err != nil {
		return "", fail(CauseDisk, "The archive cannot be read from the data folder.", err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	res, err := get(ctx, c, l.url, have)
	if err != nil {
		if have == 0 {
			os.Remove(file) // nothing to go on with
		}
		return "", err
	}
	defer res.Body.Close()
	switch res.StatusCode {
	case http.StatusRequestedRangeNotSatisfiable:
		// All of it is here already, or something else: the checksum tells.
		return digest(sum), nil
	case http.StatusOK:
		if have, err = rewind(f, sum); err != nil {
			return "", err
		}
	}
	total := have + max(res.ContentLength, 0)
	if res.ContentLength < 0 {
		total = 0
	}
	if total > maxArchive {
		return "", fail(CauseFormat, "The archive is too large to be a vulnerability database.", nil)
	}
	if err := room(file, res.ContentLength); err != nil {
		return "", err
	}
	watch := time.AfterFunc(silence, func() { cancel(os.ErrDeadlineExceeded) })
	defer watch.Stop()
	p.set(have, total)
	buf := make([]byte, 256<<10)
	for {
		n, err := res.Body.Read(buf)
		if n > 0 {
			watch.Reset(silence)
			if have += int64(n); have > maxArchive {
				return "", fail(CauseFormat, "The archive is too large to be a vulnerability database.", nil)
			}
			sum.Write(buf[:n])
			if _, err := f.Write(buf[:n]); err != nil {
				return "", fail(CauseDisk, "The archive cannot be written to the data folder.", err)
			}
			p.set(have, total)
		}
		switch {
		case errors.Is(err, io.EOF):
			return digest(sum), nil
		case err != nil:
			if cause := context.Cause(ctx); cause != nil {
				err = cause
			}
			return "", network(err, res.Request.URL.Host)
		}
	}
}

func rewind(f *os.File, sum hash.Hash) (int64, error) {
	sum.Reset()
	if err := f.Truncate(0); err != nil {
		return 0, fail(CauseDisk, "The archive cannot be written to the data folder.", err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return 0, fail(CauseDisk, "The archive cannot be written to the data folder.", err)
	}
	return 0, nil
}

func digest(h hash.Hash) string { return "sha256:" + hex.EncodeToString(h.Sum(nil)) }
