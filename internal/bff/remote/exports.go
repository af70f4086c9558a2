package remote

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"windlass/internal/engine"
)

// exportTime bounds the making and the reading of a document.
const exportTime = 5 * time.Minute

// ExportSBOM offers the stored SBOM, which v1 gives out as it is; other formats
// are made by a Windlass.
func (c *Client) ExportSBOM(ctx context.Context, i engine.Image, format string) (engine.Export, error) {
	f, ok := engine.FormatOf(engine.SBOMFormats, format)
	if !ok {
		return engine.Export{}, engine.NotFoundf("There is no format %.40q.", format)
	}
	q, err := c.prepare(ctx, "GET /console/images/{imageDigest}/sboms/{sbomFormat}", call{account: i.Account}, []string{string(i.Digest), format})
	if err != nil && format == engine.SyftJSON {
		q, err = call{method: http.MethodGet, path: path("images", string(i.Digest), "sboms", "native"), account: i.Account}, nil
	}
	return c.export(ctx, i, f, q, err)
}

// ExportMatches offers the matches as a Windlass writes them.
func (c *Client) ExportMatches(ctx context.Context, i engine.Image, format string, m engine.MatchFilter) (engine.Export, error) {
	f, ok := engine.FormatOf(engine.MatchFormats, format)
	if !ok {
		return engine.Export{}, engine.NotFoundf("There is no format %.40q.", format)
	}
	v := set(url.Values{}, "q", m.Text, "severity", m.Severity, "vex", m.VEX)
	if m.Fixable {
		v.Set("fixable", "true")
	}
	if m.Known {
		v.Set("known", "true")
	}
	q, err := c.prepare(ctx, "GET /console/images/{imageDigest}/vulnerabilities/{reportFormat}", call{account: i.Account, query: v}, []string{string(i.Digest), format})
	return c.export(ctx, i, f, q, err)
}

// export is a document that is asked for when it is opened, in the name of
// whoever asks now.
func (c *Client) export(ctx context.Context, i engine.Image, f engine.ExportFormat, q call, err error) (engine.Export, error) {
	if err != nil {
		return engine.Export{}, err
	}
	who, err := c.sessions.who(ctx, i.Account)
	if err != nil {
		return engine.Export{}, err
	}
	q.as, q.timeout, q.packed = &who, exportTime, true
	return engine.Export{
		ExportFormat: f, File: engine.ExportFile(i, f.Suffix),
		// v1 does not say whether a document has changed: no browser is to keep it.
		Tag: strconv.FormatInt(time.Now().UnixNano(), 36),
		Open: func(ctx context.Context) (io.ReadCloser, int64, error) {
			resp, err := c.open(context.WithoutCancel(ctx), q)
			if err != nil {
				return nil, 0, err
			}
			if resp.Header.Get("Content-Encoding") == "gzip" || resp.Header.Get("Content-Type") == "application/gzip" {
				return resp.Body, resp.ContentLength, nil
			}
			return packed(resp.Body), -1, nil
		},
	}, nil
}

// packed compresses a body as it is read.
func packed(body io.ReadCloser) io.ReadCloser {
	r, w := io.Pipe()
	go func() { // ends with the body, or when its reader closes
		z := gzip.NewWriter(w)
		_, err := io.Copy(z, body)
		if err == nil {
			err = z.Close()
		}
		body.Close()
		w.CloseWithError(err)
	}()
	return r
}
