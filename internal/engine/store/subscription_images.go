package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
)

// newestTags are the full names of those tags of image $1 whose newest image it
// is, of all that are not on their way out.
const newestTags = `
	SELECT t.account, t.registry || '/' || t.repository || ':' || t.tag AS key FROM image_tags t
	 WHERE t.image = $1 AND NOT EXISTS (
		SELECT FROM image_tags o JOIN images i ON i.pk = o.image
		 WHERE (o.account, o.registry, o.repository, o.tag) = (t.account, t.registry, t.repository, t.tag)
		   AND (o.detected_at, o.image) > (t.detected_at, t.image) AND i.status = 'active')`

// subscribed finds a tag whose newest image this is and to which somebody
// subscribes, and the types of these subscriptions; empty when there is none.
func subscribed(ctx context.Context, tx pgx.Tx, image int64) (key, types string, err error) {
	const q = `
		SELECT s.key, string_agg(s.type, ', ' ORDER BY s.type)
		  FROM (` + newestTags + `) n JOIN subscriptions s ON s.account = n.account AND s.key = n.key AND s.active
		 GROUP BY s.key ORDER BY s.key LIMIT 1`

	err = tx.QueryRow(ctx, q, image).Scan(&key, &types)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", "", nil
	}
	return key, types, err
}

// unsubscribe switches off what is subscribed to of the tags whose newest image
// this is. Nothing is announced: the image's own change says that it goes.
func unsubscribe(ctx context.Context, tx pgx.Tx, image int64) error {
	// Locked in the order in which putSubscriptions locks them.
	const q = `
		WITH held AS MATERIALIZED (
			SELECT s.account, s.key, s.type FROM subscriptions s JOIN (` + newestTags + `) n ON s.account = n.account AND s.key = n.key
			 WHERE s.active ORDER BY s.key, s.type FOR UPDATE OF s)
		UPDATE subscriptions s SET active = false, updated_at = now()
		  FROM held h WHERE (s.account, s.key, s.type) = (h.account, h.key, h.type)`

	_, err := tx.Exec(ctx, q, image)
	return err
}

// forgetSubscriptions removes those of the tags whose newest image this is.
func forgetSubscriptions(ctx context.Context, tx pgx.Tx, image int64) error {
	const q = `
		WITH held AS MATERIALIZED (
			SELECT s.account, s.key, s.type FROM subscriptions s JOIN (` + newestTags + `) n ON s.account = n.account AND s.key = n.key
			 ORDER BY s.key, s.type FOR UPDATE OF s)
		DELETE FROM subscriptions s USING held h WHERE (s.account, s.key, s.type) = (h.account, h.key, h.type)`

	_, err := tx.Exec(ctx, q, image)
	return err
}
