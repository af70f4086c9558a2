package core

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"windlass/internal/engine/malware"
	"windlass/internal/engine/search"
	"windlass/internal/engine/supervise"
)

// scannerEvery is how often the scanner for malware is looked for.
const scannerEvery = 15 * time.Second

// scannerWatch looks whether the malware scans that the settings ask for can be
// made, so that the service's record says so before an image goes unscanned.
type scannerWatch struct {
	settings malware.Settings
	log      *slog.Logger
	trouble  atomic.Value // string
}

func newScannerWatch(s *search.Settings, log *slog.Logger) *scannerWatch {
	w := &scannerWatch{log: log}
	if s != nil {
		w.settings = s.Malware
	}
	return w
}

func (w *scannerWatch) note() string {
	text, _ := w.trouble.Load().(string)
	return text
}

func (w *scannerWatch) run(ctx context.Context) error {
	if !w.settings.Enabled {
		<-ctx.Done()
		return nil
	}
	return supervise.Every(ctx, scannerEvery, w.look)
}

func (w *scannerWatch) look(ctx context.Context) error {
	text := ""
	if err := w.settings.Available(ctx); err != nil {
		text = err.Error()
	}
	if before := w.note(); text != before && ctx.Err() == nil {
		w.trouble.Store(text)
		if text != "" {
			w.log.WarnContext(ctx, "malware scanner missing", "why", text)
		} else {
			w.log.InfoContext(ctx, "malware scanner found")
		}
	}
	return nil
}
