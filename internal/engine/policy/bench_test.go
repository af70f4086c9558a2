package policy

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"windlass/internal/engine"
)

// largest is an image of the size of the largest in the field: 100,000 files,
// 5,000 packages, 3,000 matches.
func largest() *Image {
	random := rand.New(rand.NewPCG(5, 6))
	img := &Image{
		Digest: "sha256:aa", ID: "bb", OS: "linux", Arch: "amd64", Distro: "debian", DistroVersion: "12", Like: "debian",
		Size: 4 << 30, Layers: 60, Mode: "Guessed", Dockerfile: "FROM scratch\n", VulnData: VulnData{Exists: true, Oldest: days(1)},
		Malware: []Scan{{Scanner: "clamav"}},
	}
	for i := range 100_000 {
		dir := fmt.Sprintf("/usr/lib/python3/dist-packages/module%04d/part%02d", i/50, i/10%5)
		img.Files = append(img.Files, engine.File{Path: fmt.Sprintf("%s/source_%06d.py", dir, i), Mode: "00644", Size: int64(i), SHA256: "ab", Type: "file"})
	}
	img.Files[500].Path, img.Files[500].Mode = "/usr/lib/python3/dist-packages/module0010/part00/key.pem", "04755"
	licences := []string{"MIT", "Apache-2.0", "GPL-2.0-only", "BSD-3-Clause", "LGPL-2.1+ GPL-3"}
	for i := range 5_000 {
		p := engine.Package{Name: fmt.Sprintf("package-%d", i), Version: fmt.Sprintf("1.%d-1", i), Type: "dpkg", Class: "os", Path: "pkgdb", Licenses: []string{licences[i%len(licences)]}}
		if i%2 == 1 {
			p.Type, p.Class, p.Path = "python", "python", fmt.Sprintf("/usr/lib/python3/dist-packages/module%04d", i)
		}
		img.Packages = append(img.Packages, p)
	}
	for i := range 3_000 {
		p := img.Packages[random.IntN(len(img.Packages))]
		m := engine.Match{
			Vuln: fmt.Sprintf("CVE-2025-%d", i), Severity: engine.SeverityNames[random.IntN(6)], Package: p.Name, Version: p.Version,
			PackageType: p.Type, Path: p.Path, URL: "https://example.test/record", Constraint: "< 9",
			NVD: []engine.CVSSData{{V2: engine.NoCVSS, V3: engine.CVSS{Base: random.Float64() * 10, Exploitability: 2, Impact: 3}}},
		}
		if i%3 == 0 {
			m.Fixes = []string{"9"}
		}
		img.Matches = append(img.Matches, Match{Match: m, FirstSeen: days(random.IntN(100))})
	}
	for i := range 300 {
		img.Dockerfile += fmt.Sprintf("RUN step %d && do something\nENV NAME%d=value\n", i, i)
	}
	return img
}

// thousandRules is a bundle as large ones are made: mostly lists of packages,
// vulnerabilities and files, with conditions of every gate between.
func thousandRules(t testing.TB) *Bundle { return parse(t, thousandRulesDoc(t)) }

func thousandRulesDoc(t testing.TB) []byte {
	var rules []map[string]any
	add := func(n int, make func(i int) map[string]any) {
		for i := range n {
			r := make(i)
			r["id"] = fmt.Sprintf("r%d", len(rules))
			rules = append(rules, r)
		}
	}
	severities := []string{"low", "medium", "high", "critical"}
	add(250, func(i int) map[string]any {
		return rule("", "WARN", "vulnerabilities", "package", "package_type", "all", "severity", severities[i%4], "severity_comparison", "=",
			"cvss_v3_base_score", fmt.Sprintf("9.%d", 50+i%50), "max_days_since_creation", "95", "fix_available", "true")
	})
	add(100, func(i int) map[string]any {
		return rule("", "STOP", "vulnerabilities", "blacklist", "vulnerability_ids", fmt.Sprintf("CVE-2021-%d,CVE-2025-%d", i, i))
	})
	add(200, func(i int) map[string]any {
		return rule("", "STOP", "packages", "blacklist", "name", fmt.Sprintf("package-%d", 4_900+i))
	})
	add(100, func(i int) map[string]any {
		return rule("", "WARN", "packages", "required_package", "name", fmt.Sprintf("package-%d", i), "version", "1.0-1", "version_match_type", "minimum")
	})
	add(50, func(i int) map[string]any {
		return rule("", "WARN", "licenses", "blacklist_exact_match", "licenses", fmt.Sprintf("AGPL-%d,SSPL", i))
	})
	add(100, func(i int) map[string]any {
		return rule("", "WARN", "files", "attribute_match", "filename", fmt.Sprintf("/usr/lib/python3/dist-packages/module%04d/part00/source_%06d.py", i, i*50), "mode", "00644", "mode_op", "not_equals")
	})
	add(40, func(i int) map[string]any {
		return rule("", "WARN", "files", "name_match", "regex", fmt.Sprintf(`^/root/\.secret%d`, i))
	})
	add(10, func(i int) map[string]any {
		return rule("", "WARN", "files", "name_match", "regex", []string{`.*\.pem$`, `.*\.key`, `.*id_rsa`, `.*\.p12`, `.*/\.git/config`}[i%5])
	})
	add(100, func(i int) map[string]any {
		return rule("", "WARN", "dockerfile", "instruction", "instruction", "RUN", "check", "like", "value", fmt.Sprintf(`.*step %d .*`, 1000+i))
	})
	add(50, func(i int) map[string]any {
		return rule("", "WARN", "metadata", "attribute", "attribute", "size", "check", ">", "value", fmt.Sprintf("%dgb", i+4))
	})
	return doc(t, rules, func(b map[string]any) {
		var items []string
		for i := range 2_000 {
			items = append(items, "vulnerabilities", fmt.Sprintf("CVE-2025-%d+*", i*2))
		}
		whitelisted(items...)(b)
	})
}

// BenchmarkThousandRules is the whole evaluation, with what it prepares.
func BenchmarkThousandRules(b *testing.B) {
	img, bundle := largest(), thousandRules(b)
	v := evaluate(b, bundle, img)
	n := len(bundle.Policies[0].Rules)
	b.ReportAllocs()
	began := cpu()
	for b.Loop() {
		evaluate(b, bundle, img)
	}
	took := cpu() - began
	b.ReportMetric(float64(took.Microseconds())/float64(b.N)/1000, "cpu-ms/op")
	b.ReportMetric(float64(took.Microseconds())/float64(b.N)/float64(n), "cpu-µs/rule")
	b.ReportMetric(float64(len(v.Rows)), "rows")
}

// cpu is what this process has used, which on a busy machine says more than the
// clock.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkGate is a hundred rules of one kind over the largest image.
func BenchmarkGate(b *testing.B) {
	img, all := largest(), thousandRules(b)
	kinds := map[string][]map[string]any{}
	var names []string
	for _, r := range all.Policies[0].Rules {
		name := r.gate.name + "/" + r.trigger.name
		if name == "files/name_match" && r.Params[0].Value[0] == '.' {
			name += " anywhere"
		}
		if kinds[name] == nil {
			names = append(names, name)
		}
		var params []string
		for _, p := range r.Params {
			params = append(params, p.Name, p.Value)
		}
		kinds[name] = append(kinds[name], rule(r.ID, "WARN", r.gate.name, r.trigger.name, params...))
	}
	for _, name := range names {
		b.Run(name, func(b *testing.B) {
			var rules []map[string]any
			for i := range 100 {
				rules = append(rules, kinds[name][i%len(kinds[name])])
			}
			bundle := parse(b, doc(b, rules))
			began := cpu()
			for b.Loop() {
				evaluate(b, bundle, img)
			}
			b.ReportMetric(float64((cpu()-began).Microseconds())/float64(b.N)/100, "cpu-µs/rule")
		})
	}
}

func BenchmarkDefaultBundle(b *testing.B) {
	img, bundle := largest(), parse(b, Default())
	b.ReportMetric(float64(len(evaluate(b, bundle, img).Rows)), "rows")
	for b.Loop() {
		evaluate(b, bundle, img)
	}
}

func BenchmarkParse(b *testing.B) {
	raw := thousandRulesDoc(b)
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		parse(b, raw)
	}
}
