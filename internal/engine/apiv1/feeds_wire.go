package apiv1

import "windlass/internal/engine"

type feedStatusJSON struct {
	Source   string              `json:"source"`
	Interval float64             `json:"interval_seconds"`
	Next     *string             `json:"next_sync"`
	Active   *feedDataJSON       `json:"active"`
	Previous *feedDataJSON       `json:"previous"`
	Sync     *feedSyncRecordJSON `json:"last_sync"`
	Rematch  *rematchJSON        `json:"rematch"`
	Hosts    []feedHostJSON      `json:"hosts"`
}

type feedDataJSON struct {
	ID        string  `json:"id"`
	Provider  string  `json:"provider"`
	Schema    string  `json:"schema"`
	Checksum  string  `json:"checksum"`
	Source    string  `json:"source"`
	Built     *string `json:"built"`
	Installed *string `json:"installed_at"`
	Bytes     int64   `json:"bytes"`
	Records   int64   `json:"records"`
	Starter   bool    `json:"starter"`
	SetAside  bool    `json:"set_aside"`
	Kept      bool    `json:"archive_kept"`
}

func feedDataOf(d *engine.FeedData) *feedDataJSON {
	if d == nil {
		return nil
	}
	return &feedDataJSON{
		ID: d.ID, Provider: "grype", Schema: d.Schema, Checksum: d.Checksum, Source: d.Source, Built: stampOrNil(d.Built), Installed: stampOrNil(d.InstalledAt),
		Bytes: d.Bytes, Records: d.Records, Starter: d.Starter, SetAside: d.SetAside, Kept: d.Archive != "",
	}
}

type feedSyncRecordJSON struct {
	ID      int64          `json:"id"`
	Trigger string         `json:"trigger"`
	Status  string         `json:"status"`
	Stage   string         `json:"stage"`
	Done    int64          `json:"done"`
	Total   int64          `json:"total"`
	Steps   []feedStepJSON `json:"stages"`
	Started string         `json:"started_at"`
	Ended   *string        `json:"ended_at"`
	Cause   *string        `json:"cause"`
	Message *string        `json:"message"`
	Source  string         `json:"source"`
	Host    string         `json:"host"`
	Data    *string        `json:"data"`
	Records int64          `json:"records"`
	Delta   int64          `json:"delta"`
	Images  int64          `json:"images"`
	Changed int64          `json:"images_changed"`
	Matched *string        `json:"matched_at"`
}

type feedStepJSON struct {
	Stage string  `json:"stage"`
	Took  float64 `json:"seconds"`
}

func syncRecordOf(f engine.FeedSync) feedSyncRecordJSON {
	out := feedSyncRecordJSON{
		ID: f.ID, Trigger: f.Trigger, Status: f.Status, Stage: string(f.Stage), Done: f.Done, Total: f.Total, Steps: []feedStepJSON{},
		Started: stamp(f.StartedAt), Ended: stampOrNil(f.EndedAt), Cause: orNil(f.Cause), Message: orNil(f.Message), Source: f.Source, Host: f.Host,
		Data: orNil(f.Data), Records: f.Records, Delta: f.Delta, Images: f.Images, Changed: f.Changed, Matched: stampOrNil(f.MatchedAt),
	}
	for _, s := range f.Steps {
		out.Steps = append(out.Steps, feedStepJSON{string(s.Stage), s.Took.Seconds()})
	}
	return out
}

type rematchJSON struct {
	Data    string  `json:"data"`
	Done    int64   `json:"done"`
	Total   int64   `json:"total"`
	Changed int64   `json:"changed"`
	Started string  `json:"started_at"`
	Ended   *string `json:"ended_at"`
}

type feedHostJSON struct {
	Host    string  `json:"host"`
	Data    *string `json:"data"`
	Message *string `json:"message"`
	At      string  `json:"at"`
}

type feedGroupChangeJSON struct {
	Feed  string `json:"feed"`
	Group string `json:"group"`
	Now   int64  `json:"records"`
	Then  int64  `json:"records_then"`
}

type feedUseJSON struct {
	Feed    string  `json:"feed"`
	Group   *string `json:"group"`
	Enabled bool    `json:"enabled"`
	Groups  int     `json:"groups"`
	Records int64   `json:"records"`
	Matches int64   `json:"matches"`
	Images  int64   `json:"images"`
}

type feedArchiveJSON struct {
	ID       string  `json:"id"`
	Source   string  `json:"source"`
	State    string  `json:"state"`
	Size     int64   `json:"size"`
	Have     int64   `json:"have"`
	Checksum *string `json:"checksum"`
	Flush    bool    `json:"flush"`
	By       *string `json:"by"`
	Cause    *string `json:"cause"`
	Message  *string `json:"message"`
	Created  string  `json:"created_at"`
	Touched  string  `json:"touched_at"`
}

func feedArchiveOf(a engine.FeedArchive) feedArchiveJSON {
	return feedArchiveJSON{
		ID: a.ID, Source: a.Source, State: string(a.State), Size: a.Size, Have: a.Have, Checksum: orNil(a.Checksum), Flush: a.Flush, By: orNil(a.By),
		Cause: orNil(a.Cause), Message: orNil(a.Message), Created: stamp(a.CreatedAt), Touched: stamp(a.TouchedAt),
	}
}
