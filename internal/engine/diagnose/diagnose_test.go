package diagnose_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/diagnose"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) time.Time { return now.Add(-d) }

func up(name, host string) engine.Service {
	return engine.Service{
		Name: name, Host: host, BaseURL: "http://" + host, State: engine.ServiceAvailable, HeartbeatAt: ago(2 * time.Second),
		Detail: engine.ServiceDetail{Up: true, Available: true, Message: "all good"},
	}
}

func down(name, host string, silent time.Duration) engine.Service {
	s := up(name, host)
	s.State, s.HeartbeatAt, s.Detail = engine.ServiceUnavailable, ago(silent), engine.ServiceDetail{Message: "connection refused"}
	return s
}

func all(host string) (list []engine.Service) {
	for _, name := range engine.ServiceNames {
		list = append(list, up(name, host))
	}
	return list
}

func without(name string) []engine.Service {
	return slices.DeleteFunc(all("a"), func(s engine.Service) bool { return s.Name == name })
}

func failedSync(cause string, next time.Time) engine.FeedSync {
	return engine.FeedSync{Trigger: "periodic", Status: "failure", Stage: engine.FeedDownload, Cause: cause, Message: "No such host", EndedAt: ago(time.Minute), Host: "a", NextTry: next}
}

func TestJudgements(t *testing.T) {
	data := &engine.FeedData{Records: 1000, Built: ago(time.Hour), Source: "https://feed.example", Active: true}
	old := &engine.FeedData{Records: 1000, Built: ago(9 * 24 * time.Hour), Active: true}
	synced := []engine.Feed{{Name: "vulnerabilities", Enabled: true, LastSync: ago(time.Hour), Groups: []engine.FeedGroup{{Records: 1000}}}}
	well := engine.DatabaseState{Server: "15.14 (Debian)", Schema: 11, SchemaWant: 11, Connections: 20, Limit: 97, Ours: 3, OursLimit: 24, Bytes: 1 << 30, Took: 2 * time.Millisecond}
	with := func(alter func(*engine.DatabaseState)) engine.Check {
		d := well
		alter(&d)
		return diagnose.Database(d)
	}
	api := up(engine.APIExt, "a")
	tests := map[string]struct {
		got  engine.Check
		want engine.CheckStatus
		says string // part of the summary
		next string // part of a step; empty: there must be none
	}{
		"api": {diagnose.API([]diagnose.Answer{{Service: api, Took: time.Millisecond}}), engine.CheckPass, "at 1 address", ""},
		"one api of two is away": {diagnose.API([]diagnose.Answer{{Service: api}, {Service: up(engine.APIExt, "b"), Err: "refused"}}),
			engine.CheckWarn, "apiext on b does not answer", "Open apiext on b"},
		"no api answers": {diagnose.API([]diagnose.Answer{{Service: api, Err: "refused"}}), engine.CheckFail, "none of its addresses", "Its log"},
		"no api":         {diagnose.API(nil), engine.CheckFail, "No instance", "CONSOLE_SERVICES"},
		"slow api":       {diagnose.API([]diagnose.Answer{{Service: api, Took: 3 * time.Second}}), engine.CheckWarn, "took 3 s", "log"},

		"credentials": {diagnose.Credentials(diagnose.Login{User: "u", Account: "a", Found: true, State: engine.AccountEnabled,
			Asks: []diagnose.Answer{{Service: api, Asks: true, Tried: true, Takes: true}}}), engine.CheckPass, "u of account a is known", ""},
		"open door": {diagnose.Credentials(diagnose.Login{Found: true, State: engine.AccountEnabled, Asks: []diagnose.Answer{{Service: api}}}),
			engine.CheckFail, "asks for no password", "Open apiext"},
		"token refused": {diagnose.Credentials(diagnose.Login{Found: true, State: engine.AccountEnabled, Asks: []diagnose.Answer{{Service: api, Asks: true, Tried: true}}}),
			engine.CheckFail, "refuses a token", "Log of apiext"},
		"disabled account": {diagnose.Credentials(diagnose.Login{Account: "a", Found: true, State: engine.AccountDisabled}), engine.CheckFail, "account a is disabled", "account enable a"},
		"another key": {diagnose.Credentials(diagnose.Login{Found: true, State: engine.AccountEnabled, Unreadable: []string{"r.example"}}),
			engine.CheckFail, "r.example", "CONSOLE_SECRET_KEY"},

		"database":      {diagnose.Database(well), engine.CheckPass, "PostgreSQL 15.14 answered", ""},
		"old schema":    {with(func(d *engine.DatabaseState) { d.Schema = 9 }), engine.CheckFail, "older than this program", "Restart"},
		"new schema":    {with(func(d *engine.DatabaseState) { d.Schema = 12 }), engine.CheckWarn, "newer than this program", "same version"},
		"standby":       {with(func(d *engine.DatabaseState) { d.ReadOnly = true }), engine.CheckFail, "only lets itself be read", "primary"},
		"few left":      {with(func(d *engine.DatabaseState) { d.Connections = 92 }), engine.CheckWarn, "5 connections left", "max_connections"},
		"none left":     {with(func(d *engine.DatabaseState) { d.Connections = 97 }), engine.CheckFail, "no connection left", "max_connections"},
		"forgotten":     {with(func(d *engine.DatabaseState) { d.Longest = time.Hour }), engine.CheckWarn, "open for 60 m", "pg_stat_activity"},
		"slow database": {with(func(d *engine.DatabaseState) { d.Took = time.Second }), engine.CheckWarn, "took 1 s", "load"},
		"away":          {diagnose.DatabaseAway("connection refused"), engine.CheckFail, "connection refused.", "postgres.log"},

		"services":          {diagnose.Services(all("a")), engine.CheckPass, "5 instances", ""},
		"no analyzer":       {diagnose.Services(without(engine.Analyzer)), engine.CheckFail, "There is no analyzer", "Start a process"},
		"analyzer down":     {diagnose.Services(append(without(engine.Analyzer), down(engine.Analyzer, "b", time.Hour))), engine.CheckFail, "analyzer is down: unavailable, connection refused.", "Open analyzer on b"},
		"a second one down": {diagnose.Services(append(all("a"), down(engine.Analyzer, "b", time.Hour))), engine.CheckWarn, "another does its work", "Log of analyzer"},

		"heartbeats":     {diagnose.Heartbeats(all("a"), now), engine.CheckPass, "2 s ago", ""},
		"gone and known": {diagnose.Heartbeats(append(all("a"), down(engine.Analyzer, "b", time.Hour)), now), engine.CheckWarn, "silent for 60 m and counts as unavailable", "Remove the records"},
		"nobody watches": {diagnose.Heartbeats([]engine.Service{func() engine.Service { s := up("catalog", "a"); s.HeartbeatAt = ago(5 * time.Minute); return s }()}, now), engine.CheckFail, "nobody watches", "Log of catalog"},
		"late":           {diagnose.Heartbeats([]engine.Service{func() engine.Service { s := up("catalog", "a"); s.HeartbeatAt = ago(30 * time.Second); return s }()}, now), engine.CheckWarn, "is late", "Log"},

		"clocks":        {diagnose.Clocks([]diagnose.HostClock{{"a", 20 * time.Millisecond, now}}), engine.CheckPass, "within 100 ms", ""},
		"a clock off":   {diagnose.Clocks([]diagnose.HostClock{{"a", 0, now}, {"b", -3 * time.Second, now}}), engine.CheckWarn, "clock of b is 3 s off", "time service"},
		"a clock wrong": {diagnose.Clocks([]diagnose.HostClock{{"b", time.Minute, now}}), engine.CheckFail, "60 s off", "time service"},
		"no clock":      {diagnose.Clocks(nil), engine.CheckUnknown, "No host", ""},

		"idle queue":  {diagnose.Queue(nil, now), engine.CheckPass, "Nothing waits", ""},
		"moving":      {diagnose.Queue([]engine.QueueState{{Queue: engine.QueueAnalyze, Due: 9, Leased: 2, Oldest: ago(5 * time.Minute)}}, now), engine.CheckPass, "2 messages in hand, 9 wait", ""},
		"nobody":      {diagnose.Queue([]engine.QueueState{{Queue: engine.QueueAnalyze, Due: 9, Oldest: ago(5 * time.Minute)}}, now), engine.CheckFail, "nobody takes them", "Log of analyzer"},
		"long queue":  {diagnose.Queue([]engine.QueueState{{Queue: engine.QueueAnalyze, Due: 9000, Leased: 2, Oldest: ago(time.Hour)}}, now), engine.CheckWarn, "waited for 60 m", "Add an analyzer"},
		"just posted": {diagnose.Queue([]engine.QueueState{{Queue: engine.QueueAnalyze, Due: 1, Oldest: ago(time.Second)}}, now), engine.CheckPass, "1 waits", ""},
		"stuck lease": {diagnose.Queue([]engine.QueueState{{Queue: engine.QueueMatch, Due: 1, Leased: 1, Oldest: ago(2 * time.Minute), Lapsed: 1, LapsedAt: ago(2 * time.Minute)}}, now), engine.CheckFail, "held by a worker that went away", "policy_engine"},
		"stranded":    {diagnose.Queue([]engine.QueueState{{Queue: engine.QueueAnalyze, Due: 1, Stranded: 1, Oldest: ago(time.Second)}}, now), engine.CheckFail, "on a host whose analyzer is down", "Start that host"},
		"resting":     {diagnose.Queue([]engine.QueueState{{Queue: engine.QueueAnalyze, Resting: 3}}, now), engine.CheckPass, "3 rest until", ""},

		"feeds":       {diagnose.Feeds(synced, engine.FeedStatus{Active: data, Interval: time.Hour}, now), engine.CheckPass, "1,000 records", ""},
		"no data":     {diagnose.Feeds(nil, engine.FeedStatus{}, now), engine.CheckFail, "no vulnerability data", "Sync the feeds now"},
		"first sync":  {diagnose.Feeds(nil, engine.FeedStatus{Syncs: []engine.FeedSync{{Status: "running", Stage: engine.FeedUnpack}}}, now), engine.CheckWarn, "running (unpack)", "Watch it"},
		"stale":       {diagnose.Feeds(synced, engine.FeedStatus{Active: old}, now), engine.CheckWarn, "built 9 days ago", "Sync the feeds now"},
		"starter":     {diagnose.Feeds(synced, engine.FeedStatus{Active: &engine.FeedData{Starter: true, Built: now}}, now), engine.CheckWarn, "starter", "Sync the feeds now"},
		"all off":     {diagnose.Feeds([]engine.Feed{{Name: "nvd"}}, engine.FeedStatus{Active: data}, now), engine.CheckFail, "Every feed is switched off", "Switch feeds on"},
		"unsynced":    {diagnose.Feeds(append(slices.Clone(synced), engine.Feed{Name: "nvd", Enabled: true}), engine.FeedStatus{Active: data}, now), engine.CheckWarn, "1 feed has never been synced", "See which"},
		"sync failed": {diagnose.FeedFailure([]engine.FeedSync{failedSync("dns", now)}), engine.CheckFail, "(dns): No such host.", "name resolution"},
		"disk full":   {diagnose.FeedFailure([]engine.FeedSync{{Status: "running"}, failedSync("disk", now)}), engine.CheckFail, "(disk)", "free some"},
		"odd cause":   {diagnose.FeedFailure([]engine.FeedSync{failedSync("odd", now)}), engine.CheckFail, "(odd)", "log of policy_engine"},
		"recovered":   {diagnose.FeedFailure([]engine.FeedSync{{Status: "success", EndedAt: now}, failedSync("tls", now)}), engine.CheckPass, "history", ""},
		"never ended": {diagnose.FeedFailure(nil), engine.CheckPass, "No sync has ended yet", ""},

		"disk":       {diagnose.Disk([]diagnose.HostFolders{{"a", []engine.HostFolder{{Use: "data", Path: "/d", Free: 50 << 30, Total: 100 << 30}}}}), engine.CheckPass, "53.7 GB left", ""},
		"tight":      {diagnose.Disk([]diagnose.HostFolders{{"a", []engine.HostFolder{{Use: "data", Path: "/d", Free: 4 << 30, Total: 100 << 30}}}}), engine.CheckWarn, "data folder of a has 4.3 GB left", "CONSOLE_DATA_DIR"},
		"full":       {diagnose.Disk([]diagnose.HostFolders{{"a", []engine.HostFolder{{Use: "log", Path: "/l", Free: 1 << 20, Total: 100 << 30}}}}), engine.CheckFail, "log folder of a has 1.0 MB", "CONSOLE_LOG_DIR"},
		"locked":     {diagnose.Disk([]diagnose.HostFolders{{"a", []engine.HostFolder{{Use: "temp", Path: "/t", Fault: "permission denied"}}}}), engine.CheckFail, "cannot be used: permission denied", "writable"},
		"huge disks": {diagnose.Disk([]diagnose.HostFolders{{"a", []engine.HostFolder{{Use: "data", Path: "/d", Free: 80 << 30, Total: 2000 << 30}}}}), engine.CheckPass, "left", ""},

		"no registry":    {diagnose.Registries(nil, false), engine.CheckPass, "No registry is stored", "Add a registry"},
		"not asked":      {diagnose.Registries([]diagnose.Reached{{Name: "r"}}, false), engine.CheckUnknown, "was not asked", "Ask them now"},
		"registry":       {diagnose.Registries([]diagnose.Reached{{Name: "r", User: "u"}}, true), engine.CheckPass, "1 answers", "Ask them again"},
		"wrong password": {diagnose.Registries([]diagnose.Reached{{Name: "r", User: "u", Err: "refused"}, {Name: "s"}}, true), engine.CheckFail, "r: refused.", "Change what is stored for r"},
		"too many":       {diagnose.Registries([]diagnose.Reached{{Name: "r", Skipped: true, Err: "the time was up"}}, true), engine.CheckUnknown, "1 registry was not asked", "Ask them again"},

		"no failures": {diagnose.Images(nil), engine.CheckPass, "No image", ""},
		"failures":    {diagnose.Images([]engine.FailedGroup{{Cause: engine.CauseRegistryAuth, Images: 3, Name: "r/a:1", Text: "refused"}, {Cause: engine.CauseCancelled, Images: 1}}), engine.CheckWarn, "4 images have failed, for 2 causes", "Retry 3 images (registry_auth)"},
		"cancelled":   {diagnose.Images([]engine.FailedGroup{{Cause: engine.CauseCancelled, Images: 1}}), engine.CheckPass, "1 analysis was cancelled", "Retry 1 image"},
		"no errors":   {diagnose.Errors(nil, ago(time.Hour)), engine.CheckPass, "none", ""},
		"errors":      {diagnose.Errors([]engine.ErrorGroup{{Type: "x", Events: 3, Last: now}}, ago(time.Hour)), engine.CheckWarn, "3 error events of 1 type", "See them"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if tc.got.Status != tc.want || !strings.Contains(tc.got.Summary, tc.says) {
				t.Errorf("%s: %q, want %s: ...%q...", tc.got.Status, tc.got.Summary, tc.want, tc.says)
			}
			var steps []string
			for _, s := range tc.got.Steps {
				steps = append(steps, s.Text)
			}
			if text := strings.Join(steps, "\n"); tc.next == "" && text != "" || !strings.Contains(text, tc.next) {
				t.Errorf("next %q, want %q", steps, tc.next)
			}
			for _, f := range tc.got.Facts {
				if f.Name == "" || f.Value == "" || strings.Contains(f.Value, "0001-") {
					t.Errorf("fact %+v", f)
				}
			}
			if tc.got.Status == engine.CheckFail && len(tc.got.Steps) == 0 {
				t.Error("something fails and there is nothing to do")
			}
		})
	}
}

func TestReportReadsAsText(t *testing.T) {
	c := diagnose.Specs[0].Named(diagnose.API([]diagnose.Answer{{Service: up(engine.APIExt, "a"), Err: "refused\nby all"}}), ago(time.Second), now)
	text := engine.CheckReport([]engine.Check{c}, now)
	for _, want := range []string{"1 fail.", "## [FAIL] The API answers", "- http://a: does not answer: refused by all [fail]", "Next:\n- Open apiext on a", "took 1000 ms"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
}

func TestWorst(t *testing.T) {
	list := []engine.Check{{Status: engine.CheckPass}, {Status: engine.CheckUnknown}, {Status: engine.CheckWarn}}
	if got := engine.WorstCheck(list); got != engine.CheckWarn {
		t.Errorf("worst is %s", got)
	}
	if got := engine.WorstCheck(append(list, engine.Check{Status: engine.CheckFail})); got != engine.CheckFail {
		t.Errorf("worst is %s", got)
	}
}
