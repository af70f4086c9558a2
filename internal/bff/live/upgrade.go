// Package live keeps the console's websockets: it upgrades requests inside
// Fiber, fans frames out to the sockets whose subscription matches, and lets
// go of browsers that do not keep up. It knows frames, not their meanings.
//
// Publishing never waits. A socket that falls behind is dropped; its browser
// reconnects with the number of the last frame it saw and is given what it
// missed, or told to load the page again.
package live

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/gorilla/websocket"
)

// Upgrade performs the handshake inside the Fiber handler, so that a refusal
// is an ordinary response, and runs serve on the connection once it is free.
// serve owns the socket; the connection is closed when serve returns.
func Upgrade(c *fiber.Ctx, up *websocket.Upgrader, serve func(*websocket.Conn)) error {
	r := handshake(c)
	w := &responder{c: c, conn: &lateConn{Conn: c.Context().Conn()}, header: http.Header{}}
	ws, err := up.Upgrade(w, r, nil)
	if err != nil {
		for k, vs := range w.header {
			for _, v := range vs {
				c.Response().Header.Add(k, v)
			}
		}
		return nil // gorilla has written status and reason into the response
	}
	c.Context().HijackSetNoResponse(true)
	c.Context().Hijack(func(nc net.Conn) {
		if w.conn.attach(nc) == nil {
			serve(ws)
		}
	})
	return nil
}

// handshake copies the request: fasthttp reuses its buffers after the handler.
func handshake(c *fiber.Ctx) *http.Request {
	r := &http.Request{
		Method: strings.Clone(c.Method()), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Host: string(c.Request().Host()), Header: http.Header{}, URL: &url.URL{Path: strings.Clone(c.Path())},
		RemoteAddr: c.Context().RemoteAddr().String(), TLS: c.Context().TLSConnectionState(),
	}
	for k, v := range c.Request().Header.All() {
		r.Header.Add(string(k), string(v))
	}
	return r
}

// responder lets gorilla take the connection over or write its refusal.
type responder struct {
	c      *fiber.Ctx
	conn   *lateConn
	header http.Header
}

func (w *responder) Header() http.Header         { return w.header }
func (w *responder) WriteHeader(code int)        { w.c.Status(code) }
func (w *responder) Write(p []byte) (int, error) { return w.c.Write(p) }
func (w *responder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return w.conn, bufio.NewReadWriter(bufio.NewReaderSize(w.conn, 16), bufio.NewWriterSize(w.conn, 16)), nil
}

// lateConn holds the 101 response back until fasthttp hands the connection
// over. It reads from what is handed over, which may hold bytes read ahead,
// but writes and closes the raw connection: the other one ignores Close and
// goes back to a pool, so it must not outlive serve.
type lateConn struct {
	net.Conn
	in    io.Reader
	early []byte
}

func (l *lateConn) attach(in io.Reader) error {
	l.in = in
	_, err := l.Conn.Write(l.early)
	l.early = nil
	return err
}

func (l *lateConn) Read(p []byte) (int, error) { return l.in.Read(p) }

func (l *lateConn) Write(p []byte) (int, error) {
	if l.in == nil {
		l.early = append(l.early, p...)
		return len(p), nil
	}
	return l.Conn.Write(p)
}
