package present

import (
	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// ConfirmActivate asks before a bundle becomes the active one.
func ConfirmActivate(b, active engine.PolicyBundle) view.PolicyConfirm {
	v := confirmPolicy(b, "Activate", "activate")
	v.Now = policyName(active)
	switch {
	case b.Active:
		v.Refused = policyName(b) + " is the active bundle already."
	case active.ID == "":
		v.Text = []string{"No bundle is active now: images are not judged. From then on they are judged by this one."}
	default:
		v.Text = []string{"Images are judged by " + policyName(active) + " now. From then on they are judged by this bundle, the newest first, and whoever subscribed is told of those whose verdict changes."}
		v.DiffHref = PolicyTabHref(b.ID, "diff")
	}
	v.TryAll = PolicyTabHref(b.ID, "try")
	return v
}

// ConfirmDelete asks before a bundle is forgotten.
func ConfirmDelete(b engine.PolicyBundle) view.PolicyConfirm {
	v := confirmPolicy(b, "Delete", "delete")
	v.Danger, v.Download = true, PolicyHref(b.ID)+"/download"
	if b.Active {
		v.Refused = "The active bundle cannot be deleted. Activate another one first."
	}
	parts := ""
	if d, err := ReadPolicy(b.Document); err == nil {
		for i, f := range policyCounts(d) {
			if i > 0 {
				parts += ", "
			}
			parts += f.Text
		}
		parts = " (" + parts + ")"
	}
	v.Text = []string{"The bundle" + parts + " is deleted, and everything that was evaluated by it. This cannot be undone: download it first if you may want it again."}
	return v
}

func confirmPolicy(b engine.PolicyBundle, verb, path string) view.PolicyConfirm {
	return view.PolicyConfirm{
		Title: verb + " " + policyName(b) + "?", Name: policyName(b), ID: b.ID, Button: verb, Seen: b.Digest,
		Action: PolicyHref(b.ID) + "/" + path, Back: PolicyHref(b.ID),
		Crumbs: []view.Crumb{{Text: "Policies", Href: PoliciesHref}, {Text: policyName(b), Href: PolicyHref(b.ID)}, {Text: verb}},
	}
}
