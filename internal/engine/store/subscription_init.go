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
	// In the order of the key, so that two transactions do not wait for each
	// other.
	const q = `
		INSERT INTO subscriptions AS s (account, key, type, id, active)
		SELECT t.account, t.key, k.type, md5(t.account || '+' || t.key || '+' || k.type),
		       k.type = 'analysis_update' OR k.type = 'tag_update' AND $2
		  FROM (SELECT account, registry || '/' || repository || ':' || tag AS key
		          FROM image_tags WHERE image = $1 ORDER BY updated_at DESC LIMIT $3) t
		 CROSS JOIN (VALUES ('policy_eval'), ('tag_update'), ('vuln_update'), ('analysis_update')) k (type)
		 ORDER BY t.key, k.type
		ON CONFLICT (account, key, type) DO UPDATE
		   SET active = true, seen = '', next_check = now(), updated_at = now()
		 WHERE excluded.active AND NOT s.active`

	_, err := tx.Exec(ctx, q, image, watch, maxInitTags)
	return err
}
