package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"windlass/internal/engine/pattern"
)

var update = flag.Bool("update", false, "write the golden files anew")

// The whole document, as a person would compare it.
func TestSpecDocument(t *testing.T) {
	got, err := json.MarshalIndent(Spec(), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	path := filepath.Join("testdata", "policy_spec.json")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("the document changed: run with -update and read the difference")
	}
}

// The order of names is part of the contract, from the specification and not
// from the table.
func TestSpecNames(t *testing.T) {
	const want = `
always: always()
dockerfile: instruction(instruction* check* value actual_dockerfile_only) effective_user(users* type*) exposed_ports(ports* type* actual_dockerfile_only) no_dockerfile_provided()
files: content_regex_match(regex_name) name_match(regex*) attribute_match(filename* checksum_algorithm checksum checksum_match mode mode_op skip_missing) suid_or_guid_set()
ruby_gems: newer_version_found_in_feed() not_found_in_feed() version_not_found_in_feed() blacklist(name* version) feed_data_unavailable()
metadata: attribute(attribute* check* value)
licenses: blacklist_exact_match(licenses*) blacklist_partial_match(licenses*)
malware: scans() scan_not_run()
npms: newer_version_in_feed() unknown_in_feeds() version_not_in_feeds() blacklisted_name_version(name* version) feed_data_unavailable()
packages: required_package(name* version version_match_type) verify(only_packages only_directories check) blacklist(name* version)
passwd_file: content_not_available() blacklist_usernames(user_names*) blacklist_userids(user_ids*) blacklist_groupids(group_ids*) blacklist_shells(shells*) blacklist_full_entry(entry*)
retrieved_files: content_not_available(path*) content_regex(path* check* regex*)
secret_scans: content_regex_checks(content_regex_name filename_regex match_type)
vulnerabilities: package(package_type* severity_comparison severity cvss_v3_base_score_comparison cvss_v3_base_score cvss_v3_exploitability_score_comparison cvss_v3_exploitability_score cvss_v3_impact_score_comparison cvss_v3_impact_score fix_available vendor_only max_days_since_creation max_days_since_fix vendor_cvss_v3_base_score_comparison vendor_cvss_v3_base_score vendor_cvss_v3_exploitability_score_comparison vendor_cvss_v3_exploitability_score vendor_cvss_v3_impact_score_comparison vendor_cvss_v3_impact_score package_path_exclude known_exploited epss_score_comparison epss_score) stale_feed_data(max_days_since_sync*) vulnerability_data_unavailable() blacklist(vulnerability_ids* vendor_only)
suiddiff [eol]: suiddiff() suidfileadd() suidfiledel() suidmodediff()
imagecheck [eol]: baseoutofdate()
pkgdiff [eol]: pkgversiondiff() pkgadd() pkgdel() pkgdiff()
anchoresec [eol, vulnerabilities]: vulnlow() vulnmedium() vulnhigh() vulncritical() vulnunknown() feedoutofdate() unsupporteddistro()
pkgcheck [eol, packages]: pkgnotpresent() verify()
dockerfilecheck [eol, dockerfile]: directivecheck() effectiveuser() expose() nofrom() fromscratch() notag() sudo() volumepresent() nohealthcheck() nodockerfile()
filecheck [eol, files]: contentmatch() filenamematch() suidsgidcheck()
fileparse_passwd [eol, passwd_file]: filenotstored() usernamematch() useridmatch() groupidmatch() shellmatch() pentrymatch()
gemcheck [eol, gems]: gemnotlatest() gemnotofficial() gembadversion() gempkgfullmatch() gempkgnamematch() gemnofeed()
metadatacheck [eol, metadata]: attributecheck()
licblacklist [eol, licenses]: licfullmatch() licsubmatch()
npmcheck [eol, npms]: npmnotlatest() npmnotofficial() npmbadversion() npmpkgfullmatch() npmpkgnamematch() npmnofeed()
pkgblacklist [eol, packages]: pkgfullmatch() pkgnamematch()
secretcheck [eol, secret_scans]: contentmatch() filenamematch()
`
	var b strings.Builder
	for _, g := range Spec() {
		b.WriteString("\n" + g.Name)
		if g.State != "active" {
			b.WriteString(" [" + g.State)
			if g.Successor != nil {
				b.WriteString(", " + *g.Successor)
			}
			b.WriteString("]")
		}
		b.WriteString(":")
		for _, tr := range g.Triggers {
			b.WriteString(" " + tr.Name + "(")
			for i, p := range tr.Parameters {
				if i > 0 {
					b.WriteString(" ")
				}
				b.WriteString(p.Name)
				if p.Required {
					b.WriteString("*")
				}
			}
			b.WriteString(")")
			if tr.State != g.State || tr.Successor != nil {
				t.Errorf("%s/%s is %s", g.Name, tr.Name, tr.State)
			}
		}
	}
	if got := b.String() + "\n"; got != want {
		t.Errorf("got%s\nwant%s", got, want)
	}
}

// Every example must be accepted by the validator beside it, and only floats
// have none.
func TestSpecExamples(t *testing.T) {
	for _, g := range gates {
		for _, tr := range g.triggers {
			for _, p := range tr.params {
				example, ok := p.example.(string)
				if ok != (p.is.kind != "FloatString") {
					t.Errorf("%s/%s %s: example %v of a %s", g.name, tr.name, p.name, p.example, p.is.kind)
				}
				if err := p.is.check(example, args{"attribute": "size"}); err != nil {
					t.Errorf("%s/%s %s: %v", g.name, tr.name, p.name, err)
				}
			}
			if tr.about == "" || !tr.eol && tr.compile == nil {
				t.Errorf("%s/%s is not complete", g.name, tr.name)
			}
		}
	}
}

func TestValidators(t *testing.T) {
	tests := map[string]struct {
		is        validator
		good, bad []string
	}{
		"text":    {anyText(), []string{"", "x", "\n"}, nil},
		"boolean": {boolean(), []string{"true", "FALSE", "True"}, []string{"", "yes", "1", " true"}},
		"enum":    {enum("a", "b"), []string{"a", "b"}, []string{"", "A", "a ", "a,b"}},
		"integer": {integer(), []string{"0", " 12 ", "99999999999999999999"}, []string{"", "-1", "1.5", "a", "1 2"}},
		"float":   {float(), []string{"", "1", "-1.5", " .5 ", "3."}, []string{"a", "1,5", "--1", "1e3", "."}},
		"shaped":  {shaped("An octal number.", `^[0-7]+$`), []string{"00644"}, []string{"", "8", "0o644"}},
		"list":    {commaList(), []string{"a", " a , b ", "a,b"}, []string{"", "a,", ",a", ","}},
		"numbers": {commaNumbers(), []string{"1", "1, 22 ,3"}, []string{"", "a", "1,b", "1.5", "-1"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			for _, v := range tc.good {
				if err := tc.is.check(v, nil); err != nil {
					t.Errorf("%q: %v", v, err)
				}
			}
			for _, v := range tc.bad {
				if err := tc.is.check(v, nil); err == nil {
					t.Errorf("%q is accepted", v)
				}
			}
		})
	}
}

// Whatever a validator accepts can be compiled and run.
func FuzzParameters(f *testing.F) {
	f.Add(uint(3), "a,b", "1.5")
	f.Add(uint(40), "true", "99999999999999999999")
	f.Add(uint(17), "(?=x)*", "\\")
	var all []*trigger
	for _, g := range gates {
		for _, tr := range g.triggers {
			if !tr.eol {
				all = append(all, tr)
			}
		}
	}
	img := exampleMatches()
	img.Files, img.Mode, img.Dockerfile = exampleFiles().Files, "Actual", exampleDockerfile
	img.Retrieved, img.Packages = passwdImage(examplePasswd).Retrieved, examplePackages().Packages
	f.Fuzz(func(t *testing.T, which uint, a, b string) {
		tr := all[which%uint(len(all))]
		given := args{}
		for i := range tr.params {
			p := &tr.params[i]
			v := []string{a, b}[i%2]
			if p.is.kind == "EnumString" || p.is.kind == "BooleanString" {
				accepted := p.is.criteria.(schema).Enum
				v = accepted[len(a)%len(accepted)]
			}
			if p.is.check(v, given) == nil {
				given[p.name] = v
			} else if p.required {
				return
			}
		}
		run, err := tr.compile(given)
		if err != nil {
			return
		}
		c := &context{image: img, now: now, budget: pattern.NewBudget(matchingTime)}
		if err := run(c, func(h hit) {
			if h.message == "" {
				t.Errorf("%s says nothing", tr.name)
			}
		}); err != nil && !errors.Is(err, pattern.ErrBudget) {
			t.Errorf("%s: %v", tr.name, err)
		}
	})
}
