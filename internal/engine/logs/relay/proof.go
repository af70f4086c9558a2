package relay

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Key is the secret that the hosts of one engine share for reading logs.
type Key [sha256.Size]byte

// NewKey derives it from the key of the engine, of which it tells nothing.
func NewKey(secret [32]byte) Key {
	m := hmac.New(sha256.New, secret[:])
	m.Write([]byte("windlass: logs of other hosts"))
	return Key(m.Sum(nil))
}

const (
	headerHost  = "Windlass-Host"  // that is meant
	headerTime  = "Windlass-Time"  // of the request, in seconds
	headerNonce = "Windlass-Nonce" // of the request; the reply's proof covers it
	headerProof = "Windlass-Proof"
	// maxSkew is how far the clocks of two hosts may be apart: a request that
	// was overheard is worth nothing afterwards.
	maxSkew = 5 * time.Minute
)

func (k Key) proof(parts ...string) string {
	m := hmac.New(sha256.New, k[:])
	for _, p := range parts {
		fmt.Fprintf(m, "%d:%s\n", len(p), p)
	}
	return hex.EncodeToString(m.Sum(nil))
}

func (k Key) ofRequest(r *http.Request, body []byte) string {
	digest := sha256.Sum256(body)
	return k.proof("request", r.Method, r.URL.Path, r.Header.Get(headerHost), r.Header.Get(headerTime), r.Header.Get(headerNonce), string(digest[:]))
}

func (k Key) ofReply(nonce, host string) string { return k.proof("reply", nonce, host) }

// sign makes a request one for a host.
func (k Key) sign(r *http.Request, host string, body []byte) (nonce string) {
	nonce = rand.Text()
	r.Header.Set(headerHost, url.PathEscape(host))
	r.Header.Set(headerTime, strconv.FormatInt(time.Now().Unix(), 10))
	r.Header.Set(headerNonce, nonce)
	r.Header.Set(headerProof, k.ofRequest(r, body))
	return nonce
}

// check holds a request against the key, the clock and the name of this host.
// code is 0 when it is good; reason is fit for whoever asked, who knows the
// key unless code is 401.
func (k Key) check(r *http.Request, host string, body []byte) (code int, reason string) {
	if !hmac.Equal([]byte(k.ofRequest(r, body)), []byte(r.Header.Get(headerProof))) {
		return http.StatusUnauthorized, "Unauthorized"
	}
	if want := r.Header.Get(headerHost); want != url.PathEscape(host) {
		return http.StatusMisdirectedRequest, "this is " + host
	}
	sent, err := strconv.ParseInt(r.Header.Get(headerTime), 10, 64)
	if skew := time.Since(time.Unix(sent, 0)); err != nil || skew.Abs() > maxSkew {
		return http.StatusForbidden, "the clocks of the two hosts are " + skew.Abs().Round(time.Second).String() + " apart"
	}
	return 0, ""
}
