package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// evaluateAttempts bounds how often an evaluation is tried that nobody asked
// for and that cannot be made.
const evaluateAttempts = 5

// renewEvaluation is what an evaluation that is asked for again does to the
// job that waits or runs: what it may have seen is out of date.
const renewEvaluation = `
	ON CONFLICT (queue, account, subject) DO UPDATE
	   SET payload = jobs.payload || excluded.payload, generation = jobs.generation + 1, attempt = 0, leased_by = '',
	       leased_until = '-infinity', available_at = now(), last_error = ''`

// enqueueEvaluation has an image evaluated, within the transaction that makes
// it necessary: each of its tags, or those that a subscription asks for.
func enqueueEvaluation(ctx context.Context, tx pgx.Tx, account, digest string, t engine.PolicyTask) error {
	const q = `
		INSERT INTO jobs (queue, account, subject, payload, max_attempts) VALUES ($1, $2, $3, $4, $5)` + renewEvaluation

	payload := []byte(`{}`) // a false must not take back a true
	if t.AllTags {
		var err error
		if payload, err = json.Marshal(t); err != nil {
			return err
		}
	} else if asked, err := asksForEvaluation(ctx, tx, account, digest); err != nil || !asked {
		return err
	}
	if _, err := tx.Exec(ctx, q, engine.QueueEvaluate, account, digest, payload, evaluateAttempts); err != nil {
		return fmt.Errorf("enqueue evaluation: %w", err)
	}
	_, err := tx.Exec(ctx, `SELECT pg_notify('jobs', $1)`, engine.QueueEvaluate)
	return err
}

// subscribedTags are the names under which an image ($2 of account $1) is
// evaluated for active subscriptions: its tags that no newer image has, and
// the tags whose subscription names its digest. With $3, all its tags.
const subscribedTags = `
	SELECT t.full AS tag FROM (
		SELECT t.registry || '/' || t.repository || ':' || t.tag AS full,
		       NOT EXISTS (
				SELECT FROM image_tags o
				 WHERE (o.account, o.registry, o.repository, o.tag) = (t.account, t.registry, t.repository, t.tag)
				   AND o.detected_at > t.detected_at) AS newest
		  FROM images i JOIN image_tags t ON t.image = i.pk
		 WHERE i.account = $1 AND i.digest = $2
		 ORDER BY t.detected_at DESC LIMIT 200) t
	 WHERE $3 OR t.newest AND EXISTS (
		SELECT FROM subscriptions s WHERE s.account = $1 AND s.key = t.full AND s.type = 'policy_eval' AND s.active)
	UNION
	SELECT key FROM (
		SELECT s.key FROM subscriptions s
		 WHERE s.account = $1 AND s.type = 'policy_eval' AND s.active AND s.value IS NOT NULL
		   AND position('"' || $2 || '"' IN s.value) > 0
		 ORDER BY s.key LIMIT 200) s`

func asksForEvaluation(ctx context.Context, tx pgx.Tx, account, digest string) (asked bool, err error) {
	err = tx.QueryRow(ctx, `SELECT EXISTS (`+subscribedTags+`)`, account, digest, false).Scan(&asked)
	return asked, err
}

// EvaluationTags lists the names under which an image is to be evaluated: all
// its tags, or those that active subscriptions ask for.
func (s *Store) EvaluationTags(ctx context.Context, account, digest string, all bool) ([]string, error) {
	rows, err := s.pool.Query(ctx, subscribedTags+` ORDER BY 1`, account, digest, all)
	if err != nil {
		return nil, fmt.Errorf("evaluation tags: %w", domain(err))
	}
	tags, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("evaluation tags: %w", domain(err))
	}
	return tags, nil
}

// enqueueSubscribed has every image evaluated that an active subscription asks
// for: of one account, or of all that are enabled when account is empty.
func enqueueSubscribed(ctx context.Context, tx pgx.Tx, account string) error {
	const q = `
		WITH s AS (
			SELECT s.account, s.key, s.value FROM subscriptions s JOIN accounts a ON a.name = s.account
			 WHERE s.type = 'policy_eval' AND s.active AND a.state = 'enabled' AND a.type <> 'service'
			   AND ($3 = '' OR s.account = $3)),
		named AS (
			SELECT i.account, i.digest
			  FROM s CROSS JOIN LATERAL (
				SELECT t.image FROM image_tags t
				 WHERE t.account = s.account AND t.registry = split_part(s.key, '/', 1)
				   AND t.repository = regexp_replace(substr(s.key, strpos(s.key, '/') + 1), ':[^:/]*$', '')
				   AND t.tag = substring(s.key FROM '[^:]*$')
				 ORDER BY t.detected_at DESC LIMIT 1) newest
			  JOIN images i ON i.pk = newest.image
			 WHERE i.state = 'analyzed' AND i.status = 'active'
			UNION
			SELECT i.account, i.digest
			  FROM s CROSS JOIN LATERAL regexp_matches(s.value, '"(sha256:[0-9a-f]{64})"', 'g') m (found)
			  JOIN images i ON i.account = s.account AND i.digest = m.found[1]
			 WHERE i.state = 'analyzed' AND i.status = 'active')
		INSERT INTO jobs (queue, account, subject, payload, max_attempts)
		SELECT $1, account, digest, '{}', $2 FROM named ORDER BY account, digest` + renewEvaluation

	tag, err := tx.Exec(ctx, q, engine.QueueEvaluate, evaluateAttempts, account)
	if err != nil {
		return fmt.Errorf("enqueue evaluations: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return nil
	}
	_, err = tx.Exec(ctx, `SELECT pg_notify('jobs', $1)`, engine.QueueEvaluate)
	return err
}

// EnqueueEvaluations has every image evaluated that an active subscription asks
// for, unless that was done less than every ago, by whatever host. Time alone
// can change what a bundle says.
func (s *Store) EnqueueEvaluations(ctx context.Context, every time.Duration) (bool, error) {
	const mark = `
		INSERT INTO settings AS s (key, value) VALUES ('policies watched', now()::text)
		ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE s.value::timestamptz <= now() - $1::interval`

	done := false
	err := s.inTx(ctx, "enqueue evaluations", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, mark, every)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		done = true
		return enqueueSubscribed(ctx, tx, "")
	})
	return done, err
}
