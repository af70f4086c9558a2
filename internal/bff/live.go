package bff

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gorilla/websocket"

	"windlass/internal/bff/live"
	"windlass/internal/engine"
	"windlass/web/static"
)

// subscription is what the hub knows of one socket: whose it is, and what its
// page wants to hear of now.
type subscription struct {
	hash []byte // of the session
	wish atomic.Pointer[wish]
	stay func(engine.Identity) bool // whether it may go on under other rights

	until atomic.Int64 // Unix seconds at which the session may have ended
	doubt atomic.Bool  // what was known of the session may have changed: see sessions.go
}

// wish is what an open page wants to hear of, and may. It is never altered,
// only replaced.
type wish struct {
	who     engine.Identity
	names   []string // kinds of change and topics
	query   url.Values
	filters map[string]func(item any) bool // by topic
}

const maxTopics = 40

func (f *follower) wish(who engine.Identity, topics string, q url.Values) *wish {
	w := &wish{who: who, query: q}
	for name := range strings.SplitSeq(topics, ",") {
		if name == "" || len(w.names) == maxTopics {
			continue
		}
		w.names = append(w.names, strings.Clone(name))
		if t, ok := f.topics[name]; ok {
			if w.filters == nil {
				w.filters = map[string]func(any) bool{}
			}
			w.filters[name] = t.filter(q, who)
		}
	}
	return w
}

// as is the same wish of a user whose rights have changed.
func (f *follower) as(who engine.Identity, w *wish) *wish {
	return f.wish(who, strings.Join(w.names, ","), w.query)
}

// set makes w the wish of a subscription, under the rights that were found
// last: those that w was made with may have been replaced meanwhile.
func (f *follower) set(sub *subscription, w *wish) *wish {
	for {
		old := sub.wish.Load()
		if !sameRights(old.who, w.who) {
			w = f.as(old.who, w)
		}
		if sub.wish.CompareAndSwap(old, w) {
			return w
		}
	}
}

// sees reports whether the page's account may know of a change.
func (w *wish) sees(c engine.Change) bool {
	own := c.Account == "" || c.Account == w.who.Account || c.Kind == engine.ChangeAccount && w.who.Admin
	return own && mayHear(w.who, c.Kind)
}

func (w *wish) hears(kind engine.ChangeKind) bool { return slices.Contains(w.names, string(kind)) }

// takes reports whether a change that was drawn belongs into the page's list. One
// that could not be drawn does: the list is fetched again.
func (w *wish) takes(topic string, r row) bool {
	match := w.filters[topic]
	return match != nil && (r.Item == nil || match(r.Item))
}

func (s *Server) liveRoutes(r fiber.Router) {
	r.Get("/ws/live", s.signedIn, s.liveSocket)
}

// ask is what a page says to its socket when what it shows has changed, or
// when it is looked at again. A page in the background wants nothing.
type ask struct {
	N      int    `json:"n"` // comes back with the answer
	Topics string `json:"topics"`
	Query  string `json:"q"`
	After  int64  `json:"after"`
}

// liveSocket is one page's socket: ?topics=kinds and topics the page shows,
// comma-separated, &q=the page's query, &after=the newest change it has,
// &build=that which drew it.
func (s *Server) liveSocket(c *fiber.Ctx) error {
	q, err := url.ParseQuery(c.Query("q"))
	if err != nil {
		return engine.Invalidf("q: %q is no query.", c.Query("q"))
	}
	after, err := strconv.ParseInt(c.Query("after", "0"), 10, 64)
	if err != nil {
		return engine.Invalidf("after: %q is no number.", c.Query("after"))
	}
	who, topics, build := s.who(c), c.Query("topics"), c.Query("build")
	sub := s.subscriber(c)
	return s.socket(c, sub, func(sock *live.Socket, ws *websocket.Conn) {
		s.resume(sock, sub, s.live.wish(who, topics, q), after, s.greeting(build)...)
		sock.Serve(ws, func(message []byte) { s.heard(sock, sub, message) })
	})
}

// greeting is what a page is told that was drawn by another build of this
// program, or while changes cannot be read.
func (s *Server) greeting(build string) []live.Frame {
	var list []live.Frame
	if build != "" && build != static.Build() {
		list = append(list, live.Frame{Body: encode(frame{Do: doUpdated})})
	}
	if s.live.stalled.Load() {
		list = append(list, live.Frame{Body: encode(frame{Do: doStalled})})
	}
	return list
}

// heard takes what a page says. What is no ask ends the socket: only programs
// send that.
func (s *Server) heard(sock *live.Socket, sub *subscription, message []byte) {
	var a ask
	if err := json.Unmarshal(message, &a); err != nil {
		sock.End(websocket.CloseUnsupportedData, "not understood")
		return
	}
	q, err := url.ParseQuery(a.Query)
	if err != nil {
		q = url.Values{}
	}
	w := s.live.wish(sub.wish.Load().who, a.Topics, q)
	before := append([]live.Frame{{Body: encode(frame{Do: doAnswer, N: a.N})}}, s.greeting("")...)
	s.resume(sock, sub, w, a.After, before...)
}

// resume makes a wish the socket's, and gives it what it has missed.
func (s *Server) resume(sock *live.Socket, sub *subscription, w *wish, after int64, before ...live.Frame) {
	ctx, cancel := context.WithTimeout(s.base, 10*time.Second)
	defer cancel()
	if after > 0 && after != s.live.seq() {
		s.live.await(ctx)
	}
	sock.Resume(func() ([]live.Frame, int64) {
		w := s.live.set(sub, w)
		list, upto := s.live.missed(ctx, after, w)
		return append(before, list...), upto
	})
}

// socket upgrades a request and has the hub know of the socket while serve
// runs. While the console stops, browsers are told to come back.
func (s *Server) socket(c *fiber.Ctx, sub *subscription, serve func(*live.Socket, *websocket.Conn)) error {
	if s.tabs.full(sub.hash) {
		return fiber.NewError(fiber.StatusTooManyRequests, "Too many pages are open. Close some of them.")
	}
	up := &websocket.Upgrader{ReadBufferSize: 256, WriteBufferSize: 4 << 10, WriteBufferPool: s.buffers}
	return live.Upgrade(c, up, func(ws *websocket.Conn) {
		sock := s.hub.Join(sub)
		if sock == nil {
			ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseGoingAway, "restarting"), time.Now().Add(time.Second))
			ws.Close()
			return
		}
		s.joined(sub)
		go func() { // the hub waits for its sockets
			defer s.hub.Leave(sock)
			defer s.tabs.add(sub.hash, -1)
			serve(sock, ws)
		}()
	})
}

// beat lets every page know, once in a round, that it is still connected, and
// the number up to which it has been told everything it wants.
func (s *Server) beat(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for group := 0; ; group = (group + 1) % live.Beats {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		body, quiet := encode(frame{Seq: s.live.told.Load()}), []byte("{}")
		s.hub.Beat(group, func(v any) []byte {
			switch w := v.(*subscription).wish.Load(); {
			case w == nil:
				return nil
			case len(w.names) == 0: // it has been told nothing, and will ask from where it stopped
				return quiet
			}
			return body
		})
	}
}
