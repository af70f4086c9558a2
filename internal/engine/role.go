package engine

import "slices"

// Role is a named set of actions that a user may take in an account.
type Role string

// The roles there are.
const (
	FullControl    Role = "full-control"
	ReadOnly       Role = "read-only"
	ImageDeveloper Role = "image-developer"
	ImageAnalyzer  Role = "image-analyzer"
	PolicyEditor   Role = "policy-editor"
)

// Roles lists every role, the widest first.
var Roles = []Role{FullControl, ImageDeveloper, PolicyEditor, ImageAnalyzer, ReadOnly}

// Known reports whether there is such a role.
func (r Role) Known() bool { return slices.Contains(Roles, r) }

// Says describes a role in a sentence.
func (r Role) Says() string {
	switch r {
	case FullControl:
		return "Everything within the account, its users and their roles included."
	case ImageDeveloper:
		return "Add and delete images, watch tags and repositories, archive; read everything else."
	case PolicyEditor:
		return "Write and activate policies, upload VEX documents, evaluate images; read everything else."
	case ImageAnalyzer:
		return "Send images to be analyzed and read their results: what a pipeline needs."
	case ReadOnly:
		return "Read everything, change nothing."
	}
	return ""
}

// May reports whether the role allows an action in the account it counts in.
func (r Role) May(action string) bool {
	return r == FullControl || slices.Contains(actionRoles[action], r)
}

// Actions lists what a role allows, in the order of the alphabet.
func (r Role) Actions() []string {
	var list []string
	for action := range actionRoles {
		if r.May(action) {
			list = append(list, action)
		}
	}
	slices.Sort(list)
	return list
}

// KnownAction reports whether the table of actions has one.
func KnownAction(action string) bool {
	_, ok := actionRoles[action]
	return ok
}

// The roles that an action is given to, beside full control.
var (
	fullOnly   []Role
	readers    = []Role{ReadOnly, ImageDeveloper, PolicyEditor}
	everyone   = []Role{ReadOnly, ImageDeveloper, PolicyEditor, ImageAnalyzer}
	developers = []Role{ImageDeveloper}
	pipelines  = []Role{ImageDeveloper, ImageAnalyzer}
	editors    = []Role{PolicyEditor}
)

// actionRoles is the table of all actions within an account: an action that is
// missing here is nobody's but that of full control.
var actionRoles = map[string][]Role{
	"getAccount": everyone,

	"listImages":         everyone,
	"getImage":           everyone,
	"getImageEvaluation": everyone,
	"createImage":        pipelines,
	"importImage":        pipelines,
	"deleteImage":        developers,

	"createRepository":   developers,
	"listSubscriptions":  everyone,
	"getSubscription":    everyone,
	"createSubscription": developers,
	"updateSubscription": developers,
	"deleteSubscription": developers,

	"listArchives":                    readers,
	"listArchivedImageAnalysis":       readers,
	"getArchivedImageAnalysis":        readers,
	"createArchivedImageAnalysis":     developers,
	"deleteArchivedImageAnalysis":     developers,
	"listArchiveTransitionRules":      readers,
	"getArchiveTransitionRule":        readers,
	"getArchiveTransitionRuleHistory": readers,
	"createArchiveTransitionRule":     fullOnly,
	"deleteArchiveTransitionRule":     fullOnly,

	"listPolicies": everyone,
	"getPolicy":    everyone,
	"createPolicy": editors,
	"updatePolicy": editors,
	"deletePolicy": editors,
	"tryPolicy":    readers,

	"listVEX":   everyone,
	"getVEX":    everyone,
	"createVEX": editors,
	"updateVEX": editors,
	"deleteVEX": editors,

	"listRegistries": readers,
	"getRegistry":    readers,
	"createRegistry": fullOnly,
	"updateRegistry": fullOnly,
	"deleteRegistry": fullOnly,

	"listChecks":     readers,
	"listQueues":     everyone,
	"updateMessages": developers,

	"listEvents":   readers,
	"getEvent":     readers,
	"deleteEvents": fullOnly,

	// An address often holds a token, so that it is not for every reader.
	"listWebhooks":       fullOnly,
	"getWebhook":         fullOnly,
	"createWebhook":      fullOnly,
	"updateWebhook":      fullOnly,
	"deleteWebhook":      fullOnly,
	"listNotifications":  readers,
	"getNotification":    readers,
	"updateNotification": developers,

	"listUsers":  readers,
	"getUser":    readers,
	"createUser": fullOnly,
	"updateUser": fullOnly,
	"deleteUser": fullOnly,

	"listRoles":   readers,
	"updateRoles": fullOnly,
	"listTokens":  fullOnly,
	"deleteToken": fullOnly,
	"listAudit":   fullOnly,
}
