package policy

import "strings"

// endedGates are the gates past their end of life: clients list them, bundles
// that name them are refused, stored bundles run without them.
func endedGates() []*gate {
	table := []struct{ name, successor, triggers string }{
		{"suiddiff", "", "suiddiff suidfileadd suidfiledel suidmodediff"},
		{"imagecheck", "", "baseoutofdate"},
		{"pkgdiff", "", "pkgversiondiff pkgadd pkgdel pkgdiff"},
		{"anchoresec", "vulnerabilities", "vulnlow vulnmedium vulnhigh vulncritical vulnunknown feedoutofdate unsupporteddistro"},
		{"pkgcheck", "packages", "pkgnotpresent verify"},
		{"dockerfilecheck", "dockerfile", "directivecheck effectiveuser expose nofrom fromscratch notag sudo volumepresent nohealthcheck nodockerfile"},
		{"filecheck", "files", "contentmatch filenamematch suidsgidcheck"},
		{"fileparse_passwd", "passwd_file", "filenotstored usernamematch useridmatch groupidmatch shellmatch pentrymatch"},
		// The name that clients know; the gate itself is called ruby_gems.
		{"gemcheck", "gems", "gemnotlatest gemnotofficial gembadversion gempkgfullmatch gempkgnamematch gemnofeed"},
		{"metadatacheck", "metadata", "attributecheck"},
		{"licblacklist", "licenses", "licfullmatch licsubmatch"},
		{"npmcheck", "npms", "npmnotlatest npmnotofficial npmbadversion npmpkgfullmatch npmpkgnamematch npmnofeed"},
		{"pkgblacklist", "packages", "pkgfullmatch pkgnamematch"},
		{"secretcheck", "secret_scans", "contentmatch filenamematch"},
	}
	var list []*gate
	for _, row := range table {
		g := &gate{name: row.name, about: "No longer run.", eol: true, successor: row.successor}
		if g.successor != "" {
			g.about = "No longer run: use the gate " + g.successor + "."
		}
		for name := range strings.FieldsSeq(row.triggers) {
			g.triggers = append(g.triggers, &trigger{name: name, about: "No longer run.", eol: true})
		}
		list = append(list, g)
	}
	return list
}
