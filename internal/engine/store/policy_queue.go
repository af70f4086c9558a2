package store

import (
	"context"
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

// enqueueEvaluation has an image evaluated under each of its tags, within the
// transaction that makes it necessary.
func enqueueEvaluation(ctx context.Context, tx pgx.Tx, account, digest string) error {
	const q = `
		INSERT INTO jobs (queue, account, subject, payload, max_attempts) VALUES ($1, $2, $3, $4, $5)` + renewEvaluation

	_, err := tx.Exec(ctx, q, engine.QueueEvaluate, account, digest, engine.PolicyTask{AllTags: true}, evaluateAttempts)
	if err != nil {
		return fmt.Errorf("enqueue evaluation: %w", err)
	}
	_, err = tx.Exec(ctx, `SELECT pg_notify('jobs', $1)`, engine.QueueEvaluate)
	return err
}

// EvaluationTags lists the names under which an image is to be evaluated: those
// that active subscriptions ask for, which are its tags that no newer image has
// and the tags whose subscription names its digest; with all, each of its tags
// besides.
func (s *Store) EvaluationTags(ctx context.Context, account, digest string, all bool) ([]engine.EvaluationTag, error) {
	const q = `
		SELECT tag, bool_or(subscribed) FROM (
			SELECT t.tag, t.newest AND EXISTS (
				SELECT FROM subscriptions s
				 WHERE s.account = $1 AND s.key = t.tag AND s.type = 'policy_eval' AND s.active) AS subscribed
			  FROM (
				SELECT t.registry || '/' || t.repository || ':' || t.tag AS tag,
				       NOT EXISTS (
						SELECT FROM image_tags o
						 WHERE (o.account, o.registry, o.repository, o.tag) = (t.account, t.registry, t.repository, t.tag)
						   AND o.detected_at > t.detected_at) AS newest
				  FROM images i JOIN image_tags t ON t.image = i.pk
				 WHERE i.account = $1 AND i.digest = $2
				 ORDER BY t.detected_at DESC LIMIT 200) t
			UNION ALL
			(SELECT s.key, true FROM subscriptions s
			  WHERE s.account = $1 AND s.type = 'policy_eval' AND s.active AND s.value IS NOT NULL
			    AND position('"' || $2 || '"' IN s.value) > 0
			  ORDER BY s.key LIMIT 200)) t
		 GROUP BY tag HAVING $3 OR bool_or(subscribed) ORDER BY tag`

	rows, err := s.pool.Query(ctx, q, account, digest, all)
	if err != nil {
		return nil, fmt.Errorf("evaluation tags: %w", domain(err))
	}
	tags, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (t engine.EvaluationTag, err error) {
		err = r.Scan(&t.Tag, &t.Subscribed)
		return t, err
	})
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
