package present

import (
	"strings"
	"time"

	"windlass/internal/engine"
)

// PolicyCSV is a table of rows with its head, for spreadsheets.
func PolicyCSV(list []engine.JudgementRow) [][]string {
	rows := [][]string{{
		"gate", "trigger", "action", "rule_action", "message", "trigger_id", "policy", "rule", "parameters", "record", "namespace", "package",
		"version", "compared_with", "fix", "path", "exception", "exception_reason", "exception_expires", "expired_exception",
	}}
	for _, r := range list {
		var params []string
		for _, p := range r.Params {
			params = append(params, p.Name+"="+p.Value)
		}
		exception, reason, expires := "", "", ""
		if x := r.Exception; x != nil {
			exception, reason, expires = x.List.ID+"/"+x.Item, x.Reason, rfc(x.Expires)
		}
		lapsed := ""
		if x := r.Lapsed; x != nil {
			lapsed = x.List.ID + "/" + x.Item + " " + rfc(x.Expires)
		}
		row := []string{
			r.Gate, r.Trigger, r.Action, r.Ruled, r.Message, r.TriggerID, r.Policy.ID, r.Rule, strings.Join(params, "; "), r.Why.Record, r.Why.Namespace,
			r.Why.Package, r.Why.Version, r.Why.Against, r.Why.Fix, r.Why.Path, exception, reason, expires, lapsed,
		}
		for n, cell := range row {
			row[n] = engine.SheetCell(cell)
		}
		rows = append(rows, row)
	}
	return rows
}

func rfc(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// PolicyExport is the export of an evaluation as JSON.
type PolicyExport struct {
	Image    string              `json:"image"`
	Digest   string              `json:"digest"`
	Bundle   string              `json:"bundle"`
	Action   string              `json:"final_action"`
	Reason   string              `json:"final_action_reason"`
	Because  string              `json:"because"`
	At       string              `json:"evaluated_at"`
	Problems []PolicyExportFault `json:"problems"`
	Rows     []PolicyExportRow   `json:"rows"`
}

// PolicyExportFault is a problem of the bundle.
type PolicyExportFault struct {
	Severity string `json:"severity"`
	Type     string `json:"problem_type"`
	Details  string `json:"details"`
}

// PolicyExportRow is one row of the export.
type PolicyExportRow struct {
	Gate      string                 `json:"gate"`
	Trigger   string                 `json:"trigger"`
	Action    string                 `json:"action"`
	Ruled     string                 `json:"rule_action"`
	Message   string                 `json:"message"`
	TriggerID string                 `json:"trigger_id"`
	Policy    string                 `json:"policy"`
	Rule      string                 `json:"rule,omitempty"`
	Params    map[string]string      `json:"parameters,omitempty"`
	Why       map[string]string      `json:"why,omitempty"`
	Exception *PolicyExportException `json:"exception,omitempty"`
	Expired   *PolicyExportException `json:"expired_exception,omitempty"`
}

// PolicyExportException is what set a row aside, or did.
type PolicyExportException struct {
	List    string `json:"list"`
	Item    string `json:"item,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Expires string `json:"expires_on,omitempty"`
	VEX     bool   `json:"vex"`
}

// PolicyJSON shapes the export.
func PolicyJSON(v engine.Judgement, list []engine.JudgementRow) PolicyExport {
	e := PolicyExport{
		Image: v.Tag, Digest: string(v.Digest), Bundle: v.Policy, Action: v.Action, Reason: v.Reason, Because: because(v), At: rfc(v.At),
		Problems: make([]PolicyExportFault, len(v.Problems)), Rows: make([]PolicyExportRow, len(list)),
	}
	for n, p := range v.Problems {
		e.Problems[n] = PolicyExportFault(p)
	}
	for n, r := range list {
		row := PolicyExportRow{
			Gate: r.Gate, Trigger: r.Trigger, Action: r.Action, Ruled: r.Ruled, Message: r.Message, TriggerID: r.TriggerID,
			Policy: r.Policy.ID, Rule: r.Rule, Exception: exportException(r.Exception), Expired: exportException(r.Lapsed),
		}
		for _, p := range r.Params {
			if row.Params == nil {
				row.Params = map[string]string{}
			}
			row.Params[p.Name] = p.Value
		}
		w := r.Why
		for k, s := range map[string]string{
			"record": w.Record, "namespace": w.Namespace, "package": w.Package, "version": w.Version, "path": w.Path,
			"compared_with": w.Against, "fix": w.Fix, "matcher": w.Matcher,
		} {
			if s != "" {
				if row.Why == nil {
					row.Why = map[string]string{}
				}
				row.Why[k] = s
			}
		}
		e.Rows[n] = row
	}
	return e
}

func exportException(x *engine.JudgementException) *PolicyExportException {
	if x == nil {
		return nil
	}
	return &PolicyExportException{List: x.List.ID, Item: x.Item, Reason: x.Reason, Expires: rfc(x.Expires), VEX: x.VEX}
}
