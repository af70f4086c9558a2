package apiv1

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
)

// fakeExports offers documents of the image "sha256:1" and counts how many are
// made.
type fakeExports struct {
	testAuth
	state  engine.AnalysisState
	filter engine.MatchFilter
	opened int
	err    error
}

func (f *fakeExports) Image(_ context.Context, account, digest string) (engine.Image, error) {
	if digest != "sha256:1" {
		return engine.Image{}, engine.ErrNotFound
	}
	return engine.Image{Account: account, Digest: engine.Digest(digest), State: f.state}, nil
}

func (f *fakeExports) export(format engine.ExportFormat) engine.Export {
	return engine.Export{ExportFormat: format, File: "shop-1.0" + format.Suffix, Tag: "abc", Open: func(context.Context) (io.ReadCloser, int64, error) {
		f.opened++
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		io.WriteString(z, exported)
		if err := errors.Join(z.Close(), f.err); err != nil {
			return nil, 0, err
		}
		return io.NopCloser(&b), int64(b.Len()), nil
	}}
}

const exported = `{"image":"i","digest":"d","tags":[],"matched_with":"","sample_data":false,"vulnerabilities":[]}`

func (f *fakeExports) ExportSBOM(_ context.Context, _ engine.Image, format string) (engine.Export, error) {
	of, _ := engine.FormatOf(engine.SBOMFormats, format)
	return f.export(of), nil
}

func (f *fakeExports) ExportMatches(_ context.Context, _ engine.Image, format string, filter engine.MatchFilter) (engine.Export, error) {
	f.filter = filter
	of, _ := engine.FormatOf(engine.MatchFormats, format)
	return f.export(of), nil
}

// The document and the table of formats list the same.
func TestEveryFormatIsDocumented(t *testing.T) {
	f := &fakeExports{state: engine.Analyzed}
	for _, of := range engine.SBOMFormats {
		w := ask(t, f, "GET", "/console/images/sha256:1/sboms/"+of.Name, "", asBob)
		if w.Code != 200 || w.Header().Get("Content-Type") != of.Media || w.Body.String() != exported || !strings.Contains(w.Header().Get("Content-Disposition"), `"shop-1.0`+of.Suffix) {
			t.Errorf("%s: %d %v", of.Name, w.Code, w.Header())
		}
	}
	for _, of := range engine.MatchFormats {
		if w := ask(t, f, "GET", "/console/images/sha256:1/vulnerabilities/"+of.Name, "", asBob); w.Code != 200 || w.Header().Get("Content-Type") != of.Media {
			t.Errorf("%s: %d %v %s", of.Name, w.Code, w.Header(), w.Body)
		}
	}
}

func TestExportReplies(t *testing.T) {
	const path = "/console/images/sha256:1/sboms/spdx-json"
	for name, tc := range map[string]struct {
		method, path string
		header       http.Header
		state        engine.AnalysisState
		err          error
		code, opened int
		encoding     string
	}{
		"whole":                     {"GET", path, nil, engine.Analyzed, nil, 200, 1, ""},
		"packed":                    {"GET", path, http.Header{"Accept-Encoding": {"br, gzip;q=0.5"}}, engine.Analyzed, nil, 200, 1, "gzip"},
		"not packed":                {"GET", path, http.Header{"Accept-Encoding": {"gzip;q=0, identity"}}, engine.Analyzed, nil, 200, 1, ""},
		"head":                      {"HEAD", path, nil, engine.Analyzed, nil, 200, 0, ""},
		"known":                     {"GET", path, http.Header{"If-None-Match": {`"x", W/"abc"`}}, engine.Analyzed, nil, 304, 0, ""},
		"known, strong":             {"GET", path, http.Header{"If-None-Match": {`"abc"`}}, engine.Analyzed, nil, 304, 0, ""},
		"head of what is known":     {"HEAD", path, http.Header{"If-None-Match": {`*`}}, engine.Analyzed, nil, 304, 0, ""},
		"an older one is known":     {"GET", path, http.Header{"If-None-Match": {`W/"ab"`}}, engine.Analyzed, nil, 200, 1, ""},
		"not analyzed":              {"GET", path, nil, engine.Analyzing, nil, 404, 0, ""},
		"no such image":             {"GET", "/console/images/sha256:2/sboms/spdx-json", nil, engine.Analyzed, nil, 404, 0, ""},
		"no such format":            {"GET", "/console/images/sha256:1/sboms/pdf", nil, engine.Analyzed, nil, 400, 0, ""},
		"no such severity":          {"GET", "/console/images/sha256:1/vulnerabilities/csv?severity=bad", nil, engine.Analyzed, nil, 400, 0, ""},
		"too large to be converted": {"GET", path, nil, engine.Analyzed, engine.Invalidf("too large"), 400, 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fakeExports{state: tc.state, err: tc.err}
			w := askServer(t, New(f, Options{Log: enginetest.Logger(t)}), tc.method, tc.path, "", asBob, tc.header)
			if w.Code != tc.code || f.opened != tc.opened || w.Header().Get("Content-Encoding") != tc.encoding {
				t.Errorf("%d %q after %d were made, want %d %q after %d: %s", w.Code, w.Header().Get("Content-Encoding"), f.opened, tc.code, tc.encoding, tc.opened, w.Body)
			}
			if tagged := w.Header().Get("ETag") == `W/"abc"`; tagged != (tc.code < 400) {
				t.Errorf("ETag %q", w.Header().Get("ETag"))
			}
		})
	}
}

func TestExportFilter(t *testing.T) {
	f := &fakeExports{state: engine.Analyzed}
	ask(t, f, "GET", "/console/images/sha256:1/vulnerabilities/json?q=ssl&severity=High&fixable=True&known=false&vex=hide", "", asBob)
	if want := (engine.MatchFilter{Text: "ssl", Severity: "High", Fixable: true, VEX: engine.VEXHide}); f.filter != want {
		t.Errorf("%+v, want %+v", f.filter, want)
	}
}
