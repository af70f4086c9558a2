package logs

import (
	"sync"

	"github.com/fsnotify/fsnotify"
)

// watcher wakes followers when a file in dir changes. All followers share one
// watch, since hosts allow few of them; it exists while there are followers.
type watcher struct {
	dir    string
	mu     sync.Mutex
	closed bool
	fs     *fsnotify.Watcher
	done   chan struct{} // closed when the pump of fs has ended
	subs   map[chan struct{}]bool
}

// subscribe returns a channel that holds a token after a change. reliable is
// false where the host gives no watch, and the follower has to poll.
func (w *watcher) subscribe() (wake chan struct{}, reliable bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	wake = make(chan struct{}, 1)
	if w.subs == nil {
		w.subs = map[chan struct{}]bool{}
	}
	w.subs[wake] = true
	if w.fs == nil && !w.closed {
		w.start()
	}
	return wake, w.fs != nil
}

// start is called with the lock held.
func (w *watcher) start() {
	fs, err := fsnotify.NewWatcher()
	if err != nil {
		return // followers poll
	}
	if err := fs.Add(w.dir); err != nil {
		_ = fs.Close()
		return
	}
	w.fs, w.done = fs, make(chan struct{})
	go w.pump(fs, w.done)
}

// pump ends when the last follower leaves, which closes fs.
func (w *watcher) pump(fs *fsnotify.Watcher, done chan struct{}) {
	defer close(done)
	for {
		select {
		case _, ok := <-fs.Events:
			if !ok {
				return
			}
		case _, ok := <-fs.Errors: // an overflow: something changed
			if !ok {
				return
			}
		}
		w.mu.Lock()
		for wake := range w.subs {
			select {
			case wake <- struct{}{}:
			default:
			}
		}
		w.mu.Unlock()
	}
}

func (w *watcher) unsubscribe(wake chan struct{}) {
	w.mu.Lock()
	delete(w.subs, wake)
	var fs *fsnotify.Watcher
	if len(w.subs) == 0 {
		fs, w.fs = w.fs, nil
	}
	done := w.done
	w.mu.Unlock()
	if fs != nil {
		_ = fs.Close()
		<-done
	}
}

func (w *watcher) close() error {
	w.mu.Lock()
	w.closed = true
	fs, done := w.fs, w.done
	w.fs = nil
	w.mu.Unlock()
	if fs == nil {
		return nil
	}
	err := fs.Close()
	<-done
	return err
}
