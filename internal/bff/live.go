package bff

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gorilla/websocket"

	"windlass/internal/bff/live"
	"windlass/internal/bff/session"
	"windlass/internal/engine"
)

// subscription is what one open page wants to hear of.
type subscription struct {
	who     engine.Identity
	hash    []byte
	kinds   map[string]bool
	filters map[string]func(item any) bool // by topic
}

// sees reports whether the page's account may know of a change.
func (s *subscription) sees(c engine.Change) bool {
	own := c.Account == "" || c.Account == s.who.Account || c.Kind == engine.ChangeAccount && s.who.Admin
	return own && mayHear(s.who, c.Kind)
}

func (s *subscription) takes(topic string, r row) bool {
	match := s.filters[topic]
	return match != nil && (r.Item == nil || match(r.Item))
}

func (s *subscription) wants(c engine.Change, topics map[engine.ChangeKind][]string) bool {
	if s.kinds[string(c.Kind)] {
		return true
	}
	for _, name := range topics[c.Kind] {
		if s.filters[name] != nil {
			return true
		}
	}
	return false
}

const (
	maxTopics    = 40
	recheckEvery = 30 * time.Second
)

func (s *Server) liveRoutes(r fiber.Router) {
	r.Get("/ws/live", s.signedIn, s.liveSocket)
}

// liveSocket is one page's socket: ?topics=kinds and topics the page shows,
// comma-separated, &q=the page's query, &after=the newest change it has.
func (s *Server) liveSocket(c *fiber.Ctx) error {
	found := s.session(c)
	sub := &subscription{who: found.Identity, hash: found.Hash, kinds: map[string]bool{}, filters: map[string]func(any) bool{}}
	q, err := url.ParseQuery(c.Query("q"))
	if err != nil {
		return engine.Invalidf("q: %q is no query.", c.Query("q"))
	}
	after, err := strconv.ParseInt(c.Query("after", "0"), 10, 64)
	if err != nil {
		return engine.Invalidf("after: %q is no number.", c.Query("after"))
	}
	names := strings.Split(c.Query("topics"), ",")
	for _, name := range names[:min(len(names), maxTopics)] {
		if t, ok := s.live.topics[name]; ok {
			sub.filters[name] = t.filter(q, found.Identity)
		}
		sub.kinds[name] = true
	}
	return s.socket(c, sub, func(sock *live.Socket, ws *websocket.Conn) {
		ctx, cancel := context.WithTimeout(s.base, 10*time.Second)
		first := s.live.missed(ctx, after, sub)
		cancel()
		sock.Serve(ws, first)
	})
}

// socket upgrades a request and has the hub know of the socket while serve
// runs. While the console stops, browsers are told to come back.
func (s *Server) socket(c *fiber.Ctx, sub *subscription, serve func(*live.Socket, *websocket.Conn)) error {
	up := &websocket.Upgrader{ReadBufferSize: 1 << 10, WriteBufferSize: 4 << 10, WriteBufferPool: s.buffers}
	return live.Upgrade(c, up, func(ws *websocket.Conn) {
		sock := s.hub.Join(sub)
		if sock == nil {
			ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseGoingAway, "restarting"), time.Now().Add(time.Second))
			ws.Close()
			return
		}
		defer s.hub.Leave(sock)
		serve(sock, ws)
	})
}

// endSockets closes the sockets of a session that has ended.
func (s *Server) endSockets(hash []byte) {
	s.hub.Kick(func(v any) bool { return bytes.Equal(v.(*subscription).hash, hash) })
}

// recheckSessions ends the sockets of sessions that ended elsewhere, ran out,
// or whose user is gone.
func (s *Server) recheckSessions(ctx context.Context) {
	tick := time.NewTicker(recheckEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		seen := map[string]bool{}
		for _, v := range s.hub.Subjects() {
			hash := v.(*subscription).hash
			if seen[string(hash)] {
				continue
			}
			seen[string(hash)] = true
			if _, err := s.engine.Session(ctx, hash, session.Idle, false); errors.Is(err, engine.ErrNotFound) {
				s.endSockets(hash)
			}
		}
	}
}
