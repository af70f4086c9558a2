package apiv1

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"windlass/internal/engine"
)

// handler answers one operation. It returns an error rather than write one.
type handler func(w http.ResponseWriter, r *request) error

// op is how one operation of the document is answered.
type op struct {
	perm    perm
	call    handler
	maxBody int64         // bytes; 0: the server's default
	timeout time.Duration // 0: the server's default
	heavy   bool          // counts against the limit of expensive requests
	quiet   bool          // polled: logged at debug level
	writes  bool          // a GET that stores something
}

// perm is who may call an operation. The action is the name shown in a 403.
type perm struct {
	class  permClass
	action string
	needs  string // what a role must allow, where that is not the action that v1 names
}

type permClass int

const (
	classAdmin permClass = iota // the zero value is the strictest
	classOpen
	classAny
	classAcct
	classPath
)

var (
	open = perm{class: classOpen} // no authentication
	anyo = perm{class: classAny}  // any user of an enabled account
)

// acct asks for permission in the account that the request names.
func acct(action string) perm { return perm{class: classAcct, action: action} }

// inPath asks for permission in the account that the path names as accountname,
// which is the request's account then, whatever a header says.
func inPath(action string) perm { return perm{class: classPath, action: action} }

// admin asks for permission in the system's own domain.
func admin(action string) perm { return perm{class: classAdmin, action: action} }

// bound is an operation put on the router.
type bound struct {
	op
	endpoint *endpoint
	audited  bool
}

// request is what a handler gets: the HTTP request, who asks, in which
// account, and the parameters, already checked against the document.
type request struct {
	*http.Request
	ID       string          // also in the reply's X-Request-Id and in the log
	Identity engine.Identity // zero for open operations
	Account  string          // the namespace: x-anchore-account, else the user's own

	params map[string]string
	query  url.Values
	method string // of the operation in the document, as path
	path   string
	quiet  bool

	operation string // its id in the document
	audited   bool   // it belongs into the audit log
	held      []byte // its body, if that is JSON and was checked
}

// param is a path parameter, unescaped.
func (r *request) param(name string) string { return r.params[name] }

// has reports whether a query parameter was given.
func (r *request) has(name string) bool { return r.query.Has(name) }

// queryText is a query parameter, or empty.
func (r *request) queryText(name string) string { return r.query.Get(name) }

// queryBool is a boolean query parameter, or def when it was not given.
func (r *request) queryBool(name string, def bool) bool {
	if !r.query.Has(name) {
		return def
	}
	return r.query.Get(name) == "true" // any letter case was made lower by the validation
}

// queryInt is an integer query parameter, or def when it was not given.
func (r *request) queryInt(name string, def int) int {
	n, err := strconv.Atoi(r.query.Get(name))
	if err != nil && !errors.Is(err, strconv.ErrRange) { // beyond all numbers is the last one, not the default
		return def
	}
	return n
}

// queryList is a comma separated query parameter.
func (r *request) queryList(name string) []string {
	var list []string
	for _, v := range r.query[name] {
		for part := range strings.SplitSeq(v, ",") {
			if part = strings.TrimSpace(part); part != "" {
				list = append(list, part)
			}
		}
	}
	return list
}

// decode reads the JSON body into v. The document has checked its shape; an
// absent body leaves v as it is.
func (r *request) decode(v any) error {
	if r.Body == nil {
		return nil
	}
	err := json.NewDecoder(r.Body).Decode(v)
	if err == nil || errors.Is(err, io.EOF) {
		return nil
	}
	return bodyFault(err)
}

var plainID = regexp.MustCompile(`^[A-Za-z0-9_-]{8,64}$`)

// requestID is the caller's X-Request-Id where it is harmless, else a new one,
// so that one id runs from the console's log to the API's.
func requestID(r *http.Request) string {
	if id := r.Header.Get("X-Request-Id"); plainID.MatchString(id) {
		return id
	}
	return engine.NewID()
}

func clip(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}
