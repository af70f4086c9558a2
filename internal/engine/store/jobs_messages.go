package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// messageFrom is a job with its image, if it is about one.
const messageFrom = `
	  FROM jobs
	  LEFT JOIN LATERAL (
		SELECT i.pk, i.state, i.stage, i.stage_done, i.stage_total, i.stage_since, i.attempt, i.attempts, i.worker FROM images i
		 WHERE i.account = jobs.account AND i.digest = jobs.subject ORDER BY i.created_at DESC LIMIT 1) i ON true
	  LEFT JOIN LATERAL (
		SELECT t.registry || '/' || t.repository || ':' || t.tag AS name FROM image_tags t
		 WHERE t.image = i.pk ORDER BY t.detected_at DESC, t.tag LIMIT 1) t ON true`

// messageWhere narrows to a filter: $1 account, $2 queue, $3 state, $4 text,
// $5 ids. A page of a list and an action on all that match say the same.
const messageWhere = `
	 WHERE ($1 = '' OR jobs.account = $1) AND ($2 = '' OR jobs.queue = $2)
	   AND CASE $3 WHEN 'waiting' THEN jobs.leased_until < now() AND jobs.available_at <= now()
	               WHEN 'delayed' THEN jobs.leased_until < now() AND jobs.available_at > now()
	               WHEN 'running' THEN jobs.leased_until >= now()
	               WHEN 'troubled' THEN jobs.leased_until < now() AND jobs.last_error <> ''
	               ELSE true END
	   AND ($4 = '' OR strpos(jobs.subject, $4) > 0 OR strpos(COALESCE(t.name, ''), $4) > 0)
	   AND ($5::bigint[] IS NULL OR jobs.id = ANY($5))`

func messageArgs(f engine.MessageFilter) []any {
	var ids []int64
	if f.IDs != nil {
		ids = append([]int64{}, f.IDs...)
	}
	return []any{f.Account, f.Queue, string(f.State), f.Text, ids}
}

// Messages lists one page of the messages of the queues, the oldest first.
func (s *Store) Messages(ctx context.Context, f engine.MessageFilter) ([]engine.QueueMessage, error) {
	const q = `
		SELECT ` + jobColumns + `, jobs.leased_until >= now(), jobs.available_at > now(), COALESCE(t.name, ''),
		       COALESCE(i.state, ''), COALESCE(i.stage, ''), COALESCE(i.stage_done, 0), COALESCE(i.stage_total, 0), i.stage_since, COALESCE(i.attempt, 0), COALESCE(i.attempts, 0), COALESCE(i.worker, '')` +
		messageFrom + messageWhere + ` AND jobs.id > $6 ORDER BY jobs.id LIMIT $7`

	rows, err := s.pool.Query(ctx, q, append(messageArgs(f), f.After, f.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("messages: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, scanMessage)
	if err != nil {
		return nil, fmt.Errorf("messages: %w", domain(err))
	}
	return list, nil
}

func scanMessage(r pgx.CollectableRow) (m engine.QueueMessage, err error) {
	var leased, since *time.Time
	var running, delayed bool
	var state engine.AnalysisState
	var p engine.Progress
	j := &m.Job
	err = r.Scan(&j.ID, &j.Queue, &j.Account, &j.Subject, &j.Payload, &j.Attempt, &j.Generation, &j.MaxAttempts,
		&j.Priority, &j.Host, &j.LeasedBy, &leased, &j.AvailableAt, &j.CreatedAt, &j.LastError,
		&running, &delayed, &m.Name, &state, &p.Stage, &p.Done, &p.Total, &since, &p.Attempt, &p.Attempts, &p.Worker)
	j.LeasedUntil, j.AvailableAt, j.CreatedAt, p.Since = zero(leased), j.AvailableAt.UTC(), j.CreatedAt.UTC(), zero(since)
	switch {
	case running:
		m.State = engine.MessageRunning
	case delayed:
		m.State = engine.MessageDelayed
	default:
		m.State = engine.MessageWaiting
	}
	if running && m.Queue == engine.QueueAnalyze && state == engine.Analyzing {
		m.Progress = &p
	}
	return m, err
}

// CountMessages counts exactly what a filter selects.
func (s *Store) CountMessages(ctx context.Context, f engine.MessageFilter) (int, error) {
	const q = `SELECT count(*)` + messageFrom + messageWhere
	// Without a text, nothing of the image is asked for.
	const bare = `SELECT count(*) FROM jobs CROSS JOIN (SELECT '' AS name) t` + messageWhere

	stmt := bare
	if f.Text != "" {
		stmt = q
	}
	var n int
	if err := s.pool.QueryRow(ctx, stmt, messageArgs(f)...).Scan(&n); err != nil {
		return 0, fmt.Errorf("count messages: %w", domain(err))
	}
	return n, nil
}

// Message is one message, with the number of those that are leased before it.
// engine.ErrNotFound when it is done, or not of the account.
func (s *Store) Message(ctx context.Context, account string, id int64) (engine.QueueMessage, error) {
	const ahead = `
		SELECT count(*) FROM jobs j
		 WHERE j.queue = $1 AND j.leased_until < now() AND j.available_at <= now() AND j.id <> $3
		   AND (j.priority > $2 OR j.priority = $2 AND j.id < $3) AND ` + offered

	list, err := s.Messages(ctx, engine.MessageFilter{Account: account, IDs: []int64{id}, Limit: 1})
	if err != nil {
		return engine.QueueMessage{}, err
	}
	if len(list) == 0 {
		return engine.QueueMessage{}, engine.NotFoundf("There is no message %d in the queues: it is done, or was dropped.", id)
	}
	m := list[0]
	if m.State == engine.MessageWaiting {
		if err := s.pool.QueryRow(ctx, ahead, m.Queue, m.Priority, m.ID).Scan(&m.Ahead); err != nil {
			return m, fmt.Errorf("messages ahead: %w", domain(err))
		}
	}
	return m, nil
}
