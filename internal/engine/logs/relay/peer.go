package relay

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"windlass/internal/engine"
)

const (
	maxReply = 128 << 20 // of JSON, for a page
	maxFrame = 16 << 20  // of JSON, for a line of a stream
	maxFiles = 10_000
	// silence is after how long without a frame a host is given up.
	silence = 3 * aliveEvery
)

// peer reads the logs of another host.
type peer struct {
	reader *Reader
	host   string
	bases  []string
}

// fault is why a host's logs are not to be had, in words for people.
type fault struct{ reason string }

func (f fault) Error() string { return f.reason }

func faultf(format string, args ...any) error { return fault{fmt.Sprintf(format, args...)} }

// Tail asks for a page.
func (p *peer) Tail(ctx context.Context, q engine.LogQuery) (engine.LogPage, error) {
	ctx, cancel := context.WithTimeout(ctx, replyTime)
	defer cancel()
	var w wirePage
	if err := p.get(ctx, "lines", fromQuery(q), &w); err != nil {
		return engine.LogPage{}, err
	}
	page, err := w.page(p.host)
	if err != nil {
		return page, faultf("it answers with what cannot be read")
	}
	return page, nil
}

func (p *peer) Files(ctx context.Context) ([]engine.LogFile, error) {
	ctx, cancel := context.WithTimeout(ctx, replyTime)
	defer cancel()
	var sent []wireFile
	if err := p.get(ctx, "files", wireQuery{}, &sent); err != nil {
		return nil, err
	}
	list := make([]engine.LogFile, 0, min(len(sent), maxFiles))
	for _, f := range sent[:min(len(sent), maxFiles)] {
		list = append(list, f.file(p.host))
	}
	return list, nil
}

// Open opens a file; it takes as long as whoever reads it.
func (p *peer) Open(ctx context.Context, name string) (engine.LogFile, io.ReadCloser, error) {
	resp, err := p.ask(ctx, "file", wireQuery{File: name})
	if err != nil {
		return engine.LogFile{}, nil, err
	}
	var w wireFile
	if err := json.Unmarshal([]byte(resp.Header.Get(headerFile)), &w); err != nil {
		resp.Body.Close()
		return engine.LogFile{}, nil, faultf("it answers with what cannot be read")
	}
	file := w.file(p.host)
	return file, struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, file.Bytes), resp.Body}, nil
}

// Follow streams frames. The first one, which is empty, says that the host
// answers.
func (p *peer) Follow(ctx context.Context, q engine.LogQuery, after engine.LogCursor, each func(engine.LogFrame) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w := fromQuery(q)
	w.After = after.String()
	resp, err := p.ask(ctx, "follow", w)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	in := bufio.NewReaderSize(resp.Body, 64<<10)
	quiet := time.AfterFunc(silence, cancel)
	defer quiet.Stop()
	for {
		quiet.Reset(silence)
		body, err := readLine(in)
		quiet.Stop() // what each takes is no silence
		if err != nil {
			return p.reason(err)
		}
		var w wireFrame
		if err := json.Unmarshal(body, &w); err != nil {
			return faultf("it answers with what cannot be read")
		}
		f, err := w.frame(p.host)
		if err != nil {
			return faultf("it answers with what cannot be read")
		}
		if err := each(f); err != nil {
			return err
		}
	}
}

// readLine reads a line of a stream, which must not be longer than maxFrame.
func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return nil, err
		}
		if line == nil && err == nil {
			return part, nil
		}
		if line = append(line, part...); len(line) > maxFrame {
			return nil, faultf("it sends more at once than it may")
		}
		if err == nil {
			return line, nil
		}
	}
}

// get asks for one value.
func (p *peer) get(ctx context.Context, name string, q wireQuery, to any) error {
	resp, err := p.ask(ctx, name, q)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxReply+1))
	switch {
	case err != nil:
		return p.reason(err)
	case len(body) > maxReply:
		return faultf("it sends more at once than it may")
	}
	if err := json.Unmarshal(body, to); err != nil {
		return faultf("it answers with what cannot be read")
	}
	return nil
}

// ask sends a query to the first address of the host that answers as it.
func (p *peer) ask(ctx context.Context, name string, q wireQuery) (*http.Response, error) {
	err := faultf("its services have no address")
	for _, base := range p.bases {
		var resp *http.Response
		if resp, err = p.askAt(ctx, base, name, q); err == nil {
			p.reader.answered(p.host)
			return resp, nil
		}
		var f fault
		if !errors.As(err, &f) {
			return nil, err
		}
	}
	if ctx.Err() == nil {
		p.reader.failed(p.host, err.Error())
	}
	return nil, err
}

func (p *peer) askAt(ctx context.Context, base, name string, q wireQuery) (*http.Response, error) {
	body, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimRight(base, "/")+Prefix+name, bytes.NewReader(body))
	if err != nil {
		return nil, faultf("its address %q is none", base)
	}
	nonce := p.reader.key.sign(req, p.host, body)
	resp, err := p.reader.client.Do(req)
	if err != nil {
		return nil, p.reason(err)
	}
	if err := p.judge(resp, base, nonce); err != nil {
		resp.Body.Close()
		return nil, err
	}
	return resp, nil
}

// judge turns an answer that is none into its reason.
func (p *peer) judge(resp *http.Response, base, nonce string) error {
	proven := hmac.Equal([]byte(p.reader.key.ofReply(nonce, p.host)), []byte(resp.Header.Get(headerProof)))
	if resp.StatusCode == http.StatusOK && proven {
		return nil
	}
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 500)) // what can be read of it
	said := strings.TrimSpace(strings.ToValidUTF8(string(text), ""))
	switch resp.StatusCode {
	case http.StatusOK:
		return faultf("something else answers at %s", base)
	case http.StatusMisdirectedRequest:
		return faultf("another host answers at %s: give its services addresses that other hosts reach", base)
	case http.StatusUnauthorized:
		return faultf("it has another key: give all hosts the same CONSOLE_SECRET_KEY")
	case http.StatusNotFound:
		if proven {
			return engine.NotFoundf("%s", said)
		}
		return faultf("what answers at %s has no logs to give: it may be of an older version", base)
	case http.StatusBadRequest:
		if proven {
			return engine.Invalidf("%s", said)
		}
	case http.StatusForbidden, http.StatusServiceUnavailable, http.StatusInternalServerError:
		if said != "" && len(said) < 200 {
			return faultf("%s", said)
		}
	}
	return faultf("it answers with status %d", resp.StatusCode)
}

// reason says in words what became of a connection. Errors that are not its
// own pass through.
func (p *peer) reason(err error) error {
	var f fault
	var dns *net.DNSError
	var u *url.Error
	switch {
	case errors.As(err, &f):
		return err
	case errors.As(err, &dns):
		return faultf("the name %s is not known", dns.Name)
	case errors.Is(err, syscall.ECONNREFUSED):
		return faultf("nothing answers at %s", strings.Join(p.bases, ", "))
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return faultf("it did not answer in time")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, context.Canceled):
		return faultf("the connection ended")
	case errors.As(err, &u):
		return faultf("%v", u.Err)
	}
	return faultf("%v", err)
}
