package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"windlass/internal/cli/python"
)

func (a *app) evaluate() *cobra.Command {
	return a.group("evaluate", "Policy evaluation of images", a.evaluateCheck())
}

// evaluateCheck ends with the verdict: 0 pass, 1 fail, 2 neither.
func (a *app) evaluateCheck() *cobra.Command {
	var history, detail bool
	var tag, policy string
	c := a.command("check INPUT_IMAGE", "Evaluate an image and say pass or fail", func(ctx context.Context, args []string) error {
		image := args[0]
		if tag == "" {
			if digestEnd.MatchString(image) || idForm.MatchString(image) {
				return errors.New("an image named by digest or image id needs --tag: policies are chosen by tag")
			}
			tag = image
		}
		digest, quoted, err := a.client.digest(ctx, image)
		if err != nil {
			return err
		}
		path := "/images/" + quoted + "/check?history=" + lower(history) + "&detail=" + lower(detail) + "&tag=" + requoted(tag)
		if policy != "" {
			path += "&policyId=" + quote(policy)
		}
		r, err := a.client.get(ctx, path)
		if err != nil {
			return err
		}
		err = a.show(r, "evaluate check", a.verdicts(detail))
		if !r.ok() {
			return err
		}
		return verdict(r.body, digest)
	})
	f := c.Flags()
	f.BoolVar(&history, "show-history", false, "also evaluations of before")
	f.BoolVar(&detail, "detail", false, "what each rule found")
	f.StringVar(&tag, "tag", "", "the tag that policies are chosen by")
	f.StringVar(&policy, "policy", "", "a policy other than the active one")
	return c
}

func lower(b bool) string { return strings.ToLower(python.Str(b)) }

// requoted leaves what may stand in a query as it is, reserved characters too.
func requoted(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i : i+1]; c > " " && c < "\x7f" && !strings.Contains(`"<>\^`+"`{|}#&%+", c) {
			b.WriteString(c)
		} else {
			b.WriteString(quote(c))
		}
	}
	return b.String()
}

// verdict is the first status of the first tag.
func verdict(payload any, digest string) error {
	r := &reader{}
	byTag := r.object(r.at(payload, 0, digest))
	if len(byTag.Keys()) == 0 {
		return exit(exitFault)
	}
	switch r.at(byTag, byTag.Keys()[0], 0, "status") {
	case "pass":
		return nil
	case "fail":
		return exit(exitRefused)
	}
	return exit(exitFault)
}

func (a *app) verdicts(detail bool) shape {
	return func(r *reader, payload any) string {
		var b strings.Builder
		for _, image := range r.list(payload) {
			byDigest := r.object(image)
			for _, digest := range byDigest.Keys() {
				byTag := r.object(r.at(byDigest, digest))
				for _, tag := range byTag.Keys() {
					evaluations := r.list(r.at(byTag, tag))
					if len(evaluations) == 0 {
						b.WriteString("Image Digest: " + digest + "\nFull Tag: " + tag + "\nStatus: no_eval_available\n")
					}
					for _, e := range evaluations {
						b.WriteString(a.evaluation(r, digest, tag, e, detail))
					}
				}
			}
		}
		return b.String()
	}
}

func (a *app) evaluation(r *reader, digest, tag string, e any, detail bool) string {
	var l lines
	l.add("Image Digest", digest)
	l.add("Full Tag", tag)
	var id any
	if detail {
		id = r.at(e, "detail", "result", "image_id")
		l.add("Image ID", id)
	}
	l.add("Status", r.at(e, "status"))
	l.add("Last Eval", r.at(e, "last_evaluation"))
	l.add("Policy ID", r.at(e, "policyId"))
	if !detail {
		return l.String()
	}
	l.add("Final Action", r.at(e, "detail", "result", "final_action"))
	l.add("Final Action Reason", r.at(e, "detail", "result", "final_action_reason"))
	l.blank()
	t := columns("Gate", "Trigger", "Detail", "Status")
	for _, row := range r.list(r.at(e, "detail", "result", "result", id, "result", "rows")) {
		status := r.at(row, 6)
		if listed := r.at(row, 7); python.Truthy(listed) {
			status = "whitelisted(" + python.Str(r.at(listed, "whitelist_name")) + ")"
		}
		t.row(r.at(row, 3), r.at(row, 4), r.at(row, 5), status)
	}
	return l.String() + a.plain(t) + "\n"
}
