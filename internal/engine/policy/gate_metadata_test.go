package policy

import "testing"

func tryMetadata(t *testing.T, run runner) {
	img := &Image{Size: 5 << 20, Layers: 7, Arch: "amd64", OS: "linux", Distro: "rocky", DistroVersion: "9.3", Like: "rhel,centos,fedora"}
	ask := func(attribute, check, value string) []string {
		return []string{"attribute", attribute, "check", check, "value", value}
	}
	is := func(attribute, check, value, got string) []string {
		return []string{"Attribute " + attribute + " satisfies check " + check + " with value '" + value + "': it is '" + got + "'"}
	}
	run(t, "metadata", "attribute", img, map[string]check{
		"size with unit":          {params: ask("size", ">", "4mb"), want: is("size", ">", "4mb", "5242880")},
		"size as number":          {params: ask("size", ">", "10mb")},
		"size, not as text":       {params: ask("size", "<", "10000000"), want: is("size", "<", "10000000", "5242880")},
		"size equal":              {params: ask("size", "=", "5120kb"), want: is("size", "=", "5120kb", "5242880")},
		"size at least":           {params: ask("size", ">=", "5mb"), want: is("size", ">=", "5mb", "5242880")},
		"size differs":            {params: ask("size", "!=", "5mb")},
		"size beyond all numbers": {params: ask("size", "<=", "99999999999999tb"), want: is("size", "<=", "99999999999999tb", "5242880")},
		"layers":                  {params: ask("layer_count", "<", "10"), want: is("layer_count", "<", "10", "7")},
		"layers at most":          {params: ask("layer_count", "<=", " 7 "), want: is("layer_count", "<=", " 7 ", "7")},
		"more layers":             {params: ask("layer_count", ">", "10")},
		"architecture":            {params: ask("architecture", "in", "arm64, amd64"), want: is("architecture", "in", "arm64, amd64", "amd64")},
		"not in":                  {params: ask("architecture", "not_in", "arm64"), want: is("architecture", "not_in", "arm64", "amd64")},
		"os type":                 {params: ask("os_type", "!=", "linux")},
		"distro":                  {params: ask("distro", "=", "rocky"), want: is("distro", "=", "rocky", "rocky")},
		"version as text":         {params: ask("distro_version", ">", "10"), want: is("distro_version", ">", "10", "9.3")},
		"version, text before":    {params: ask("distro_version", "<", "10")},
		"like":                    {params: ask("distro_version", "like", `9\.`), want: is("distro_version", "like", `9\.`, "9.3")},
		"not like":                {params: ask("distro_version", "not_like", `9\.`)},
		"like distro as is":       {params: ask("like_distro", "=", "rhel,centos,fedora"), want: is("like_distro", "=", "rhel,centos,fedora", "rhel,centos,fedora")},
		"exists":                  {params: []string{"attribute", "distro", "check", "exists"}, want: []string{"Attribute distro satisfies check exists: it is 'rocky'"}},
		"does not exist":          {params: []string{"attribute", "distro", "check", "not_exists"}},
		"not exists":              {params: []string{"attribute", "distro", "check", "not_exists"}, image: &Image{}, want: []string{"Attribute distro satisfies check not_exists: it is ''"}},
		"no value":                {params: []string{"attribute", "distro", "check", "="}},
	})
}

func tryAlways(t *testing.T, run runner) {
	run(t, "always", "always", &Image{}, map[string]check{
		"always": {want: []string{"The image is judged by a rule that always fires"}},
	})
	if v := evaluate(t, parse(t, doc(t, []map[string]any{rule("r1", "STOP", "always", "always")})), &Image{}); v.Rows[0].TriggerID != "always" {
		t.Errorf("trigger id %q", v.Rows[0].TriggerID)
	}
}

func tryMalware(t *testing.T, run runner) {
	found := &Image{Malware: []Scan{{Scanner: "clamav", Findings: []Malware{{"/tmp/eicar", "Eicar-Test"}, {"/tmp/two", "Other"}}}}}
	clean := &Image{Malware: []Scan{{Scanner: "clamav"}}}
	run(t, "malware", "scans", found, map[string]check{
		"each finding": {want: []string{"Scanner clamav found malware: file /tmp/eicar, signature Eicar-Test", "Scanner clamav found malware: file /tmp/two, signature Other"}},
		"clean":        {image: clean},
		"not run":      {image: &Image{}},
	})
	run(t, "malware", "scan_not_run", found, map[string]check{
		"run":     {},
		"clean":   {image: clean},
		"not run": {image: &Image{}, want: []string{"No malware scanner has a result for the image"}},
	})
	v := evaluate(t, parse(t, doc(t, []map[string]any{rule("r1", "STOP", "malware", "scans")})), found)
	if want := "clamav+Eicar-Test+a6483251ee8286c79eef81929cd930d9"; v.Rows[0].TriggerID != want {
		t.Errorf("trigger id %q, want %q", v.Rows[0].TriggerID, want)
	}
}
