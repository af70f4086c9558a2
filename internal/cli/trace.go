package cli

import (
	"fmt"
	"io"
	"net/http"
	"net/url"

	"windlass/internal/cli/python"
)

// trace is the log of --debug, in the lines of the original and of the library
// that it made its requests with.
type trace struct {
	w  io.Writer
	on bool
}

func (t *trace) printf(logger, format string, args ...any) {
	if t.on {
		fmt.Fprintf(t.w, "DEBUG:"+logger+":"+format+"\n", args...)
	}
}

func (t *trace) account(name string) {
	if name == "" {
		name = "None"
	}
	t.printf("anchorecli.clients.apiexternal", "As Account = %s", name)
}

// call announces a request. Its body is left out: it may hold a password.
func (t *trace) call(method, target string, verify bool) {
	t.printf("anchorecli.clients.apiexternal", "%s url=%s", method, target)
	t.printf("anchorecli.clients.apiexternal", "%s insecure=%s", method, python.Str(verify))
}

func (t *trace) connect(u *url.URL) {
	kind := "HTTP"
	if u.Scheme == "https" {
		kind = "HTTPS"
	}
	t.printf("urllib3.connectionpool", "Starting new %s connection (1): %s:%s", kind, u.Hostname(), port(u))
}

func (t *trace) answered(req *http.Request, resp *http.Response) {
	length := "None"
	if resp.ContentLength >= 0 {
		length = fmt.Sprint(resp.ContentLength)
	}
	t.printf("urllib3.connectionpool", "%s://%s:%s \"%s %s HTTP/%d.%d\" %d %s", req.URL.Scheme, req.URL.Hostname(), port(req.URL),
		req.Method, req.URL.RequestURI(), resp.ProtoMajor, resp.ProtoMinor, resp.StatusCode, length)
}

func (t *trace) replied(code int) {
	t.printf("anchorecli.cli.utils", "fetched httpcode from response: %d", code)
}

func port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}
