package store

import "windlass/internal/engine"

// noVerdict selects the images of which the active bundle said nothing yet.
const noVerdict = "none"

// verdictWhere selects images by what the active bundle said last of them
// under one of their tags.
func verdictWhere(account, verdict string, add func(cond string, values ...any)) {
	const last = `SELECT DISTINCT ON (e.digest, e.tag) e.digest, e.action
		  FROM policies p JOIN policy_evaluations e ON (e.account, e.policy) = (p.account, p.id)
		 WHERE p.account = ? AND p.active
		 ORDER BY e.digest, e.tag, e.evaluated_at DESC, e.pk DESC`

	if verdict == noVerdict {
		add(`i.state = '`+string(engine.Analyzed)+`' AND i.digest NOT IN (SELECT l.digest FROM (`+last+`) l)`, account)
		return
	}
	add(`i.digest IN (SELECT l.digest FROM (`+last+`) l WHERE l.action = ?)`, account, verdict)
}
