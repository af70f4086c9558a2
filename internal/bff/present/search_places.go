package present

import (
	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// place is a page, or something to do, that the search knows by its words. Post
// makes it a form; an action with All concerns all accounts.
type place struct {
	title, words, icon string
	href, post         string
	fields             []view.Field
	action             string
	all                bool
}

// may reports whether a user can go there or do it.
func (p place) may(who engine.Identity, open func(href string) bool) bool {
	account := who.Home()
	if p.all {
		account = engine.SystemDomain
	}
	return (p.action == "" || who.May(account, p.action)) && (p.href == "" || open(p.href))
}

// railWords are those by which the pages of the rail are found, too.
var railWords = map[string]string{
	"overview": "home start dashboard summary", "troubleshoot": "checks guide diagnose health why broken", "services": "health status down up heartbeat hosts",
	"events": "log errors failures clear", "feeds": "vulnerability data sync database", "images": "scan analysis tags vulnerabilities",
	"logs": "tail lines errors", "queue": "jobs messages waiting stuck workers", "policies": "bundles rules gates verdict",
	"registries": "credentials docker pull", "subscriptions": "watch notify tags", "accounts": "users roles people", "api": "openapi swagger curl try",
}

// pages are those that the rail does not name.
var pages = []place{
	{title: "Incidents", words: "services outages history down", icon: "services", href: "/services?tab=incidents"},
	{title: "Images that failed", words: "analysis_failed errors retry", icon: "images", href: "/images?state=analysis_failed", action: "listImages"},
	{title: "Errors of the last hour", words: "events failures", icon: "events", href: "/events?level=error&range=1h", action: "listEvents"},
	{title: "Policy gates", words: "rules triggers reference", icon: "policies", href: "/policies/gates", action: "listPolicies"},
	{title: "VEX documents", words: "exploitability not affected openvex cyclonedx", icon: "shield", href: VEXHref, action: "listVEX"},
	{title: "Watched repositories", words: "subscriptions", icon: "bell", href: RepositoriesHref, action: "listSubscriptions"},
	{title: "Deliveries", words: "notifications webhooks sent failed", icon: "bell", href: DeliveriesHref, action: "listNotifications"},
	{title: "Webhooks", words: "notifications endpoints", icon: "link", href: WebhooksHref, action: "listWebhooks"},
	{title: "Audit log", words: "who did what history", icon: "people", href: AuditHref, action: "listAudit"},
	{title: "Yourself", words: "account profile password tokens sessions roles", icon: "user", href: OwnHref},
	{title: "Preferences", words: "settings theme zone compact rows", icon: "sparkle", href: OwnHref + "#preferences"},
}

// actions are what can be done from anywhere.
var actions = []place{
	{title: "Add an image…", words: "analyze scan new tag digest upload archive", icon: "plus", href: "/images?add=1", action: "createImage"},
	{title: "Sync feeds now", words: "update vulnerability data refresh", icon: "refresh", post: "/feeds/sync", action: "updateFeeds", all: true},
	{title: "Run all checks now", words: "troubleshoot diagnose", icon: "lifebuoy", post: "/troubleshoot/run", action: "listChecks"},
	{title: "Download the support bundle", words: "troubleshoot zip report", icon: "download", href: "/troubleshoot/bundle.zip", action: "getSupportBundle", all: true},
	{title: "Add a registry…", words: "credentials private", icon: "plus", href: "/registries?add=1", action: "createRegistry"},
	{title: "Write a policy bundle…", words: "new rules", icon: "plus", href: "/policies/new", action: "createPolicy"},
	{title: "Upload a VEX document…", words: "add exploitability", icon: "upload", href: VEXHref + "?add=1", action: "createVEX"},
	{title: "Subscribe to a tag…", words: "add watch notify", icon: "plus", href: SubscriptionsHref + "?add=1", action: "createSubscription"},
	{title: "Watch a repository…", words: "add subscribe", icon: "plus", href: RepositoriesHref + "?add=1", action: "createRepository"},
	{title: "Add a webhook…", words: "notify endpoint", icon: "plus", href: WebhooksHref + "?add=1", action: "createWebhook"},
	{title: "Add an account…", words: "new team", icon: "plus", href: AccountsHref + "?add=1", action: "createAccount", all: true},
	{title: "Make an API token…", words: "new key credential ci", icon: "key", href: OwnHref + "?add=1#tokens"},
	{title: "Change the password…", words: "own", icon: "key", href: OwnHref},
	preference("Light theme", "colours bright", "sun", "theme", "light"),
	preference("Dark theme", "colours night", "moon", "theme", "dark"),
	preference("Theme of the system", "colours automatic", "system", "theme", "system"),
	preference("Times in UTC", "zone clock", "clock", "zone", "utc"),
	preference("Times in the browser's zone", "local clock", "clock", "zone", "local"),
	preference("Compact rows", "density tables small", "queue", "density", "compact"),
	preference("Normal rows", "density tables comfortable", "queue", "density", "normal"),
	{title: "Sign out", words: "log out leave", icon: "signout", post: "/logout"},
}

func preference(title, words, icon, name, value string) place {
	return place{title: title, words: words, icon: icon, post: "/prefs", fields: []view.Field{{Name: name, Value: value}}}
}
