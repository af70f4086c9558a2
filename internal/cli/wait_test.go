package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// script answers each path with its texts in turn, the last one for ever. A
// text that begins with a status code has it.
type script map[string][]string

func (s script) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	turns := s[req.URL.Path]
	if len(turns) == 0 {
		return nil, errors.New("connection refused")
	}
	text := turns[0]
	if len(turns) > 1 {
		s[req.URL.Path] = turns[1:]
	}
	code := 200
	for refusal, its := range map[string]int{"401": 401, "404": 404} {
		if rest, ok := strings.CutPrefix(text, refusal); ok {
			code, text = its, rest
		}
	}
	return &http.Response{StatusCode: code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: http.Header{}, ContentLength: int64(len(text)), Body: io.NopCloser(strings.NewReader(text))}, nil
}

func play(ctx context.Context, s http.RoundTripper, terminal bool, args string) outcome {
	var out, errs bytes.Buffer
	code := Run(ctx, strings.Fields(args), World{
		Env: lookup(map[string]string{"ANCHORE_CLI_URL": "http://engine:8228/v1"}), In: strings.NewReader(""), Out: &out, Err: &errs,
		OutTerminal: terminal, ErrTerminal: terminal, Transport: s,
	})
	return outcome{code: code, stdout: out.String(), stderr: errs.String()}
}

func imageIs(status string) string {
	return `[{"imageDigest":"sha256:1","analysis_status":"` + status + `","image_type":"docker","image_detail":[]}]`
}

const analysed = "Image Digest: sha256:1\nAnalysis Status: analyzed\nImage Type: docker\nAnalyzed At: None\n\n\n"

func TestImageWait(t *testing.T) {
	version := []string{`{"info":{"version":"0.1.20"}}`}
	tests := map[string]struct {
		images   []string
		terminal bool
		args     string
		want     outcome
		took     time.Duration
	}{
		"until it is analysed": {
			images: []string{imageIs("not_analyzed"), imageIs("analyzing"), imageIs("analyzed")}, args: "image wait a",
			want: outcome{stdout: "Status: not_analyzed\nWaiting 5.0 seconds for next retry.\nStatus: analyzing\nWaiting 5.0 seconds for next retry.\n" + analysed},
			took: 10 * time.Second,
		},
		"a failed analysis ends it too": {
			images: []string{imageIs("analysis_failed")}, args: "image wait a",
			want: outcome{stdout: strings.Replace(analysed, "analyzed", "analysis_failed", 1)},
		},
		"time is up": {
			images: []string{imageIs("analyzing")}, args: "image wait a --timeout 6 --interval 4",
			want: outcome{code: 2, stdout: strings.Repeat("Status: analyzing\nWaiting 4.0 seconds for next retry.\n", 2) + "Error: timed out after 6.0 seconds.\n\n"},
			took: 8 * time.Second,
		},
		"no such image": {
			images: []string{`404{"message":"no","httpcode":404}`}, args: "image wait a",
			want: outcome{code: 1, stdout: "Error: no\nHTTP Code: 404\n\n"},
		},
		"on a terminal one line counts": {
			images: []string{imageIs("analyzing"), imageIs("analyzed")}, terminal: true, args: "image wait a",
			want: outcome{stdout: analysed, stderr: "\r\x1b[KStatus: analyzing, waiting for 0s\r\x1b[K"},
			took: 5 * time.Second,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				got := play(t.Context(), script{"/v1": {`"v1"`}, "/swagger.json": version, "/v1/images": tc.images}, tc.terminal, tc.args)
				if got != tc.want {
					t.Errorf("got  %+v\nwant %+v", got, tc.want)
				}
				if took := time.Since(began); took != tc.took {
					t.Errorf("took %s, want %s", took, tc.took)
				}
			})
		})
	}
}

func TestSystemWait(t *testing.T) {
	const (
		up    = `{"service_states":[{"servicename":"catalog","service_detail":{"up":true}},{"servicename":"catalog","service_detail":{}},{"servicename":"extra","service_detail":{"up":true}}]}`
		down  = `{"service_states":[{"servicename":"catalog","service_detail":{"up":true}},{"servicename":"extra","service_detail":{"up":false}}]}`
		fed   = `[{"name":"vulnerabilities","enabled":true,"last_full_sync":"x","groups":[{"name":"a","enabled":true,"last_sync":"x"},{"name":"b","enabled":false,"last_sync":null}]}]`
		unfed = `[{"name":"vulnerabilities","enabled":true,"last_full_sync":"x","groups":[{"name":"a","enabled":true,"last_sync":null}]}]`
		off   = `[{"name":"vulnerabilities","enabled":false,"groups":[]}]`
		head  = "Starting checks to wait for anchore-engine to be available timeout=-1.0 interval=5.0\n"
		api   = "API availability: Checking anchore-engine URL (http://engine:8228/v1)...\n"
		svc   = "Service availability: Checking for service set (catalog)...\n"
		feed  = "Feed sync: Checking sync completion for feed set (vulnerabilities)...\n"
	)
	tests := map[string]struct {
		script script
		args   string
		want   outcome
	}{
		"everything in turn": {
			script: script{"/v1": {`404{}`, `"v1"`}, "/v1/system": {"401Unauthorized", down, up}, "/v1/system/feeds": {"[]", unfed, fed}},
			args:   "system wait --servicesready catalog",
			want: outcome{stderr: head + api + api + "API availability: Success.\n" +
				svc + "service status failed Unauthorized\n" + svc + svc + "Service availability: Success.\n" + feed + feed + feed + "Feed sync: Success.\n"},
		},
		"without feeds": {
			script: script{"/v1": {`"v1"`}, "/v1/system": {up}},
			args:   "system wait --servicesready catalog --feedsready= --timeout 60",
			want: outcome{stderr: strings.Replace(head, "-1.0", "60.0", 1) + api + "API availability: Success.\n" +
				svc + "Service availability: Success.\n"},
		},
		"a disabled feed": {
			script: script{"/v1": {`"v1"`}, "/v1/system": {up}, "/v1/system/feeds": {off}},
			args:   "system wait --servicesready catalog",
			want: outcome{code: 2, stdout: "Error: feed vulnerabilities is disabled\n\n", stderr: head + api + "API availability: Success.\n" +
				svc + "Service availability: Success.\n" + feed},
		},
		"nothing answers": {
			args: "system wait --timeout 7",
			want: outcome{code: 2, stdout: "Error: timed out after 7.0 seconds.\n\n", stderr: strings.Replace(head, "-1.0", "7.0", 1) + api + api},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if got := play(t.Context(), tc.script, false, tc.args); got != tc.want {
					t.Errorf("got  %+v\nwant %+v", got, tc.want)
				}
			})
		})
	}
}

// A wait that is interrupted ends at once, in silence.
func TestInterrupt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		began := time.Now()
		got := play(ctx, script{"/v1": {`"v1"`}, "/swagger.json": {`{"info":{"version":"1.0"}}`}, "/v1/images": {imageIs("analyzing")}}, false, "image wait a --interval 600")
		if got.code != exitInterrupted || time.Since(began) != time.Second {
			t.Errorf("exit %d after %s, want %d after 1s", got.code, time.Since(began), exitInterrupted)
		}
	})
}

func TestPages(t *testing.T) {
	page := func(n, next string) string {
		return `{"results":[{"generated_uuid":"` + n + `","event":{"timestamp":"t","level":"info","type":"x","resource":{"id":null}}}],"page":` + n + `,"next_page":` + next + `}`
	}
	got := play(t.Context(), script{"/v1": {`"v1"`}, "/v1/events": {page("1", "true"), page("2", "true"), page("3", "false")}}, false, "event list --all")
	want := "Timestamp        Level        Event        Resource        ID        \n"
	for _, id := range []string{"1", "2", "3"} {
		want += "t                info         x            None            " + id + "         \n"
	}
	if got.stdout != want {
		t.Errorf("got\n%swant\n%s", got.stdout, want)
	}
	got = play(t.Context(), script{"/v1": {`"v1"`}, "/v1/events": {page("1", `"true"`), page("2", "false")}}, false, "event list --all")
	if strings.Count(got.stdout, "\n") != 2 {
		t.Errorf("a text is no true, and yet another page was asked for:\n%s", got.stdout)
	}
}
