package store

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// maxInitTags bounds for how many further tags of an image each add looks after
// the subscriptions: one digest may stand behind thousands of names.
const maxInitTags = 200

// initSubscriptions gives every tag of an image the subscriptions it must have.
// What is missing is created: analysis_update active, tag_update when the tags
// are to be watched, the others for later. Nothing is ever switched off; of
// what exists, the two are switched on.
func initSubscriptions(ctx context.Context, tx pgx.Tx, image int64, watch bool) error {
	return putSubscriptions(ctx, tx, image, watch, true)
}

// putSubscriptions is initSubscriptions that may leave what exists as it is.
func putSubscriptions(ctx context.Context, tx pgx.Tx, image int64, watch, switchOn bool) error {
	// Only rows that change are locked, and in the order of their key, so that
	// images that share tags do not wait for each other in a circle.
	const q = `
		INSERT INTO subscriptions AS s (account, key, type, id, active)
		SELECT t.account, t.key, k.type, md5(t.account || '+' || t.key || '+' || k.type), k.active
		  FROM (SELECT account, registry || '/' || repository || ':' || tag AS key
		          FROM image_tags WHERE image = $1 ORDER BY updated_at DESC LIMIT $3) t
		 CROSS JOIN (VALUES ('policy_eval', false), ('tag_update', $2), ('vuln_update', false), ('analysis_update', true)) k (type, active)
		 WHERE NOT EXISTS (
			SELECT FROM subscriptions e
			 WHERE e.account = t.account AND e.key = t.key AND e.type = k.type AND (e.active OR NOT k.active OR NOT $4))
		 ORDER BY t.key, k.type
		ON CONFLICT (account, key, type) DO UPDATE
		   SET active = true, seen = '', next_check = now(), updated_at = now()
		 WHERE excluded.active AND NOT s.active AND $4`

	_, err := tx.Exec(ctx, q, image, watch, maxInitTags, switchOn)
	return err
}
