package engine

import (
	"crypto/md5"
	"encoding/hex"
	"slices"
	"time"
)

// SubscriptionType is what a subscription asks to be told of.
type SubscriptionType string

// The types of subscription, in the order in which v1 names them.
const (
	SubRepoUpdate     SubscriptionType = "repo_update"     // new tags of a repository
	SubPolicyEval     SubscriptionType = "policy_eval"     // a tag's evaluation changes
	SubTagUpdate      SubscriptionType = "tag_update"      // a tag names another image
	SubVulnUpdate     SubscriptionType = "vuln_update"     // a tag's vulnerabilities change
	SubAnalysisUpdate SubscriptionType = "analysis_update" // an analysis ends
)

// SubscriptionTypes lists them all.
var SubscriptionTypes = []SubscriptionType{SubRepoUpdate, SubPolicyEval, SubTagUpdate, SubVulnUpdate, SubAnalysisUpdate}

// Valid reports whether there is such a type.
func (t SubscriptionType) Valid() bool { return slices.Contains(SubscriptionTypes, t) }

// Bounds of a subscription's texts. A value holds the tags of a repository.
const (
	MaxSubscriptionKey   = 1024
	MaxSubscriptionValue = 2 << 20
)

// Subscription is what an account wants to be told of a tag or a repository.
type Subscription struct {
	Account   string
	ID        string // SubscriptionID of the three that follow
	Key       string // registry/repository:tag; of repo_update registry/repository
	Type      SubscriptionType
	Value     *string // opaque, or JSON text; nil: none
	Active    bool
	CreatedAt time.Time
	UpdatedAt time.Time
	// What its watcher has seen of it. Zero where none looks.
	CheckedAt time.Time
	NextCheck time.Time
	LastError string // of the last check; empty: it went well
}

// SubscriptionID is the id that v1 gives to a subscription: clients compute it.
func SubscriptionID(account, key string, t SubscriptionType) string {
	sum := md5.Sum([]byte(account + "+" + key + "+" + string(t)))
	return hex.EncodeToString(sum[:])
}

// SubscriptionFilter selects subscriptions of one account. Zero fields select
// all.
type SubscriptionFilter struct {
	Key    string
	Type   SubscriptionType
	Types  []SubscriptionType // any of them
	Active *bool
	Failed bool   // only those whose last check did not go well
	Text   string // part of the key
	After  string // cursor of the previous page; empty: first
	Limit  int    // 1 to 1000; 0: 100
}

// SubscriptionUpdate changes a subscription; nil fields stay as they are.
type SubscriptionUpdate struct {
	Active *bool
	Value  **string // the inner nil: no value
}

// AddRepository asks for the tags of a repository to be added, now and as they
// come.
type AddRepository struct {
	Account       string
	Repository    string // registry/repository
	AutoSubscribe bool   // watch each tag for updates
	DryRun        bool   // only say what there is
}
