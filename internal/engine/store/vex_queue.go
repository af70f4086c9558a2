package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// enqueueVEX has the images evaluated, and their marks counted, that have a
// match of which a document speaks. Which of them its products name is found
// out then.
func enqueueVEX(ctx context.Context, tx pgx.Tx, d engine.VEXDocument, pk int64) error {
	const q = `
		WITH ids AS MATERIALIZED (SELECT DISTINCT vuln FROM vex_vulns WHERE document = $1),
		hit AS (
			SELECT m.image FROM ids JOIN matches m ON m.vuln = ids.vuln
			UNION
			-- One probe of the index for each id: an overlap with all of them at
			-- once would be looked for in every row.
			SELECT m.image FROM ids CROSS JOIN LATERAL (
				SELECT image FROM matches WHERE vuln NOT LIKE 'CVE-%' AND cves @> ARRAY[ids.vuln] OFFSET 0) m
			 WHERE ids.vuln LIKE 'CVE-%'
			UNION
			SELECT image FROM vex_marks WHERE document = $1)
		INSERT INTO jobs (queue, account, subject, payload, max_attempts)
		SELECT $4, i.account, i.digest, $5, $6
		  FROM hit JOIN images i ON i.pk = hit.image
		 WHERE i.account = $2 AND i.state = 'analyzed' AND i.status = 'active'
		   AND ($3 = '' OR i.digest = $3 OR i.parent_digest = $3)
		 ORDER BY i.account, i.digest` + renewEvaluation

	tag, err := tx.Exec(ctx, q, pk, d.Account, string(d.Image), engine.QueueEvaluate, engine.PolicyTask{AllTags: true}, evaluateAttempts)
	if err != nil {
		return fmt.Errorf("enqueue evaluations: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return nil
	}
	_, err = tx.Exec(ctx, `SELECT pg_notify('jobs', $1)`, engine.QueueEvaluate)
	return err
}

// enqueueLosers has the images evaluated that had a tag until another took it,
// where a document may name them by it.
func enqueueLosers(ctx context.Context, tx pgx.Tx, n NewImage) error {
	const q = `
		INSERT INTO jobs (queue, account, subject, payload, max_attempts)
		SELECT $1, i.account, i.digest, '{}', $2 FROM (
			SELECT DISTINCT t.image FROM image_tags t
			 WHERE t.account = $3 AND t.registry = $4 AND t.repository = $5 AND t.tag = $6) t
		  JOIN images i ON i.pk = t.image
		 WHERE i.digest <> $7 AND i.state = 'analyzed' AND i.status = 'active'
		   AND EXISTS (SELECT FROM vex_marks v WHERE v.image = i.pk)
		 ORDER BY i.account, i.digest` + renewEvaluation

	tag, err := tx.Exec(ctx, q, engine.QueueEvaluate, evaluateAttempts, n.Account, n.Tag.Registry, n.Tag.Repository, n.Tag.Tag, string(n.Digest))
	if err != nil {
		return fmt.Errorf("enqueue evaluations: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return nil
	}
	_, err = tx.Exec(ctx, `SELECT pg_notify('jobs', $1)`, engine.QueueEvaluate)
	return err
}
