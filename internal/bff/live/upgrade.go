// Package live keeps the console's websockets: it upgrades requests inside
// Fiber, fans frames out to the sockets whose subscription matches, and lets
// go of browsers that do not keep up. It knows frames, not their meanings.
//
// Publishing never waits. A socket that falls behind is dropped; its browser
// reconnects with the number of the last frame it saw and is given what it
// missed, or told to load the page again.
//
// Thousands of tabs that hear nothing for hours must not cost much, so an idle
// socket is one goroutine and some buffers: see Socket and Upgrade. The app that
// upgrades must be set up by Prepare.
package live

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gorilla/websocket"
)

// Prepare has the app leave upgraded connections to this package. Otherwise
// its buffers for reading requests, larger than all the rest of a socket, would
// stay with each of them.
func Prepare(app *fiber.App) { app.Server().KeepHijackedConns = true }

// Upgrade performs the handshake inside the Fiber handler, so that a refusal
// is an ordinary response, and hands the connection to serve once it is free.
// serve must return at once and owns the socket: it starts what reads and
// closes it, on a goroutine of its own.
func Upgrade(c *fiber.Ctx, up *websocket.Upgrader, serve func(*websocket.Conn)) error {
	r := handshake(c)
	conn := &lateConn{Conn: c.Context().Conn()}
	w := &responder{c: c, conn: conn, header: http.Header{}}
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
	// Nothing of the request is held by what outlives it.
	c.Context().Hijack(func(nc net.Conn) {
		if conn.attach(nc) != nil {
			ws.Close()
			return
		}
		serve(ws)
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
// over. From then on it is the raw connection, after the bytes that fasthttp
// has read ahead.
type lateConn struct {
	net.Conn
	ahead []byte // read before the raw connection
	early []byte // written before the connection was ours
	ours  bool
}

// attach takes what fasthttp's reader has in its buffer, so that the reader
// can go: with a deadline that has passed it gives that and asks the network
// for nothing.
func (l *lateConn) attach(in io.Reader) error {
	if err := l.Conn.SetReadDeadline(time.Unix(1, 0)); err != nil {
		return err
	}
	buf := make([]byte, 1024)
	for {
		n, err := in.Read(buf)
		l.ahead = append(l.ahead, buf[:n]...)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if err != nil {
			return err
		}
	}
	if err := l.Conn.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	l.ours = true
	_, err := l.Conn.Write(l.early)
	l.early = nil
	return err
}

func (l *lateConn) Read(p []byte) (int, error) {
	if len(l.ahead) > 0 {
		n := copy(p, l.ahead)
		if l.ahead = l.ahead[n:]; len(l.ahead) == 0 {
			l.ahead = nil
		}
		return n, nil
	}
	return l.Conn.Read(p)
}

func (l *lateConn) Write(p []byte) (int, error) {
	if !l.ours {
		l.early = append(l.early, p...)
		return len(p), nil
	}
	return l.Conn.Write(p)
}
