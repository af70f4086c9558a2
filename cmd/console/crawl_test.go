package main

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
)

// raw is what a program would write on a page and no person.
var raw = regexp.MustCompile(`(^|[:=,(] ?)(null|undefined|NaN)\b|\[object |<nil>|%!|\b0001-01-01|\b1970-01-01|\b1\d{9}(\d{3})?\b|\b\d+h\d+m\d*s?\b|\b\d+m\d+(\.\d+)?s\b|\bmap\[|\b(not_analyzed|analysis_failed|not_affected)\b`)

// digits are what a digest or an id has in an address.
var digits = regexp.MustCompile(`[0-9a-f]{8,}(-[0-9a-f]{4,})*|\d+`)

// alike is how many addresses of one shape are asked: what differs between
// them is a record, not a page.
const alike = 2

// crawl follows the links of the running console from its first page on, each
// once. All must answer, and none may show a raw value.
func crawl(t *testing.T, prog *program) {
	t.Helper()
	jar, _ := cookiejar.New(nil)
	client := &http.Client{Jar: jar, Timeout: time.Minute}
	resp, err := client.PostForm(prog.console+"/login", url.Values{"user": {"admin"}, "password": {prog.password}})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()

	shapes, queue, from := map[string]int{}, []string{"/"}, map[string]string{"/": "the beginning"}
	asked := 0
	for ; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		asked++
		resp, err := client.Get(prog.console + at)
		if err != nil {
			t.Errorf("%s, from %s: %v", at, from[at], err)
			continue
		}
		if resp.StatusCode >= 400 {
			t.Errorf("%s, from %s, answers %d", at, from[at], resp.StatusCode)
		}
		if !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
			resp.Body.Close()
			continue
		}
		root, err := html.Parse(io.LimitReader(resp.Body, 16<<20))
		resp.Body.Close()
		if err != nil {
			t.Errorf("%s: %v", at, err)
			continue
		}
		links, odd := read(root)
		for _, text := range odd {
			t.Errorf("%s shows %q", at, text)
		}
		for _, l := range links {
			to, err := resp.Request.URL.Parse(l)
			if err != nil {
				t.Errorf("%s leads to %q: %v", at, l, err)
				continue
			}
			if to.Host != resp.Request.URL.Host {
				continue
			}
			address := to.RequestURI()
			shape := digits.ReplaceAllString(to.Path, "#") + "?" + strings.Join(slices.Sorted(keysOf(to.Query())), "&")
			if from[address] != "" || shapes[shape] == alike {
				continue
			}
			from[address] = at
			shapes[shape]++
			queue = append(queue, address)
		}
	}
	t.Logf("%d addresses of %d shapes", asked, len(shapes))
	if asked < 60 {
		t.Errorf("only %d addresses were found", asked)
	}
}

// keysOf are the settings of an address. A tab is another page; a text or a
// name is not.
func keysOf(q url.Values) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range q {
			if slices.Contains([]string{"tab", "class", "part", "group", "do"}, k) {
				k += "=" + q.Get(k)
			}
			if !yield(k) {
				return
			}
		}
	}
}

// read lists the addresses that a page leads to and the raw values that it shows.
func read(n *html.Node) (links, odd []string) {
	var walk func(n *html.Node, verbatim bool)
	walk = func(n *html.Node, verbatim bool) {
		switch n.Type {
		case html.TextNode:
			if !verbatim && raw.MatchString(n.Data) {
				odd = append(odd, strings.TrimSpace(n.Data))
			}
		case html.ElementNode:
			verbatim = verbatim || slices.Contains([]string{"code", "pre", "kbd", "samp", "textarea", "script", "style", "option"}, n.Data)
			for _, a := range n.Attr {
				verbatim = verbatim || a.Key == "data-verbatim"
			}
			for _, a := range n.Attr {
				switch {
				case a.Key == "href" || a.Key == "src":
					links = append(links, a.Val)
				case slices.Contains([]string{"title", "aria-label", "alt", "placeholder", "datetime"}, a.Key) && !verbatim && raw.MatchString(a.Val):
					odd = append(odd, a.Key+"="+a.Val)
				}
			}
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c, verbatim)
		}
	}
	walk(n, false)
	return links, odd
}
