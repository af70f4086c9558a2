package evaluation

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"windlass/internal/engine"
	"windlass/internal/engine/policy"
)

// wanted is what has to be loaded of an image for a bundle to judge it: only
// what the rules that would run look at.
func wanted(b *policy.Bundle, tag string, img engine.Image) engine.PolicyFactsWanted {
	needs := b.Needs(tag, string(img.Digest), img.ID)
	w := engine.PolicyFactsWanted{
		Packages:  needs&policy.FactPackages != 0,
		Matches:   needs&policy.FactMatches != 0,
		Files:     needs&policy.FactFiles != 0 || needs&policy.FactVerify != 0,
		Documents: []string{engine.DocConfig},
	}
	for fact, name := range map[policy.Facts]string{
		policy.FactDockerfile: engine.DocDockerfile, policy.FactRetrieved: engine.DocRetrieved,
		policy.FactSecrets: engine.DocSecrets, policy.FactContent: engine.DocContentSearch, policy.FactMalware: engine.DocMalware,
		policy.FactVerify: engine.DocSBOM,
	} {
		if needs&fact != 0 {
			w.Documents = append(w.Documents, name)
		}
	}
	if needs&policy.FactVerify != 0 {
		w.Documents = append(w.Documents, engine.DocDigests)
	}
	if needs&policy.FactVerify == 0 && asksLike(b) {
		w.Documents = append(w.Documents, engine.DocSBOM)
	}
	slices.Sort(w.Documents)
	return w
}

// asksLike reports whether a rule wants to know what the distribution is like,
// which only the SBOM tells.
func asksLike(b *policy.Bundle) bool {
	for _, p := range b.Policies {
		for _, r := range p.Rules {
			for _, param := range r.Params {
				if param.Value == "like_distro" {
					return true
				}
			}
		}
	}
	return false
}

// imageOf puts what was loaded into the form in which rules look at it.
func imageOf(f engine.PolicyFacts) (policy.Image, error) {
	img := policy.Image{
		Digest: string(f.Image.Digest), ID: f.Image.ID, OS: "linux",
		Packages: f.Packages, Files: f.Files, Dockerfile: string(f.Documents[engine.DocDockerfile]),
	}
	if m := f.Image.Meta; m != nil {
		img.Arch, img.Distro, img.DistroVersion = m.Arch, m.Distro, m.DistroVersion
		img.Size, img.Layers, img.Mode = m.Size, m.LayerCount, m.DockerfileMode
	}
	img.Matches = make([]policy.Match, len(f.Matches))
	for i, m := range f.Matches {
		img.Matches[i] = policy.Match{Match: m.Match, FirstSeen: m.FirstSeen, VEX: statementOf(m.VEX)}
	}
	var config struct {
		OS string `json:"os"`
	}
	if err := decode(f, engine.DocConfig, &config); err != nil {
		return img, err
	}
	if config.OS != "" {
		img.OS = config.OS
	}
	if err := searches(f, &img); err != nil {
		return img, err
	}
	if doc := f.Documents[engine.DocSBOM]; doc != nil {
		if err := fromSBOM(doc, &img); err != nil {
			return img, err
		}
	}
	if err := differing(f, &img); err != nil {
		return img, err
	}
	img.VulnData = vulnData(f.Groups, img.Distro, img.DistroVersion)
	return img, nil
}

// maxWhy bounds how much of an author's words stands in each row of a result:
// one statement may set thousands aside. The document has them all.
const maxWhy = 300

// statementOf is a mark as rules look at it.
func statementOf(v *engine.VEX) *policy.VEX {
	if v == nil {
		return nil
	}
	why := v.Justification
	switch {
	case why == "":
		why = v.Impact
	case v.Impact != "":
		why += ": " + v.Impact
	}
	if r := []rune(why); len(r) > maxWhy {
		why = string(r[:maxWhy]) + "..."
	}
	return &policy.VEX{Document: v.Document, Statement: strconv.Itoa(v.Statement), Status: string(v.Status), Justification: why}
}

// decode reads a JSON document that the image may lack.
func decode(f engine.PolicyFacts, name string, into any) error {
	doc := f.Documents[name]
	if len(doc) == 0 {
		return nil
	}
	if err := json.Unmarshal(doc, into); err != nil {
		return fmt.Errorf("document %s: %w", name, err)
	}
	return nil
}

// searches reads what the analyzer kept of files and found in them.
func searches(f engine.PolicyFacts, img *policy.Image) error {
	var retrieved []struct {
		Path string `json:"path"`
		Body string `json:"b64_content"`
	}
	if err := decode(f, engine.DocRetrieved, &retrieved); err != nil {
		return err
	}
	for _, r := range retrieved {
		body, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(r.Body), ""))
		if err != nil {
			return fmt.Errorf("document %s: %s: %w", engine.DocRetrieved, r.Path, err)
		}
		img.Retrieved = append(img.Retrieved, policy.Retrieved{Path: r.Path, Body: body})
	}
	var err error
	if img.Secrets, err = findings(f, engine.DocSecrets); err != nil {
		return err
	}
	if img.Content, err = findings(f, engine.DocContentSearch); err != nil {
		return err
	}
	var scans []struct {
		Scanner  string `json:"scanner"`
		Findings []struct {
			Path      string `json:"path"`
			Signature string `json:"signature"`
		} `json:"findings"`
	}
	if err := decode(f, engine.DocMalware, &scans); err != nil {
		return err
	}
	for _, s := range scans {
		scan := policy.Scan{Scanner: s.Scanner}
		for _, m := range s.Findings {
			scan.Findings = append(scan.Findings, policy.Malware{Path: m.Path, Signature: m.Signature})
		}
		img.Malware = append(img.Malware, scan)
	}
	return nil
}

// differing tells the records of files what digest the analyzer found in place
// of theirs.
func differing(f engine.PolicyFacts, img *policy.Image) error {
	var list []struct {
		Path      string `json:"path"`
		Algorithm string `json:"algorithm"`
		Digest    string `json:"digest"`
	}
	if err := decode(f, engine.DocDigests, &list); err != nil {
		return err
	}
	type key struct{ path, algorithm string }
	found := make(map[key]string, len(list))
	for _, d := range list {
		found[key{d.Path, d.Algorithm}] = d.Digest
	}
	for i := range img.Records {
		r := &img.Records[i]
		// Two packages may claim one file, and one of them be right.
		if sum := found[key{r.Path, r.Algorithm}]; !strings.EqualFold(sum, r.Digest) {
			r.Found = sum
		}
	}
	return nil
}

func findings(f engine.PolicyFacts, name string) ([]policy.Finding, error) {
	var files []struct {
		Path    string `json:"path"`
		Matches []struct {
			Name  string `json:"name"`
			Regex string `json:"regex"`
			Lines []int  `json:"lines"`
		} `json:"matches"`
	}
	if err := decode(f, name, &files); err != nil {
		return nil, err
	}
	var list []policy.Finding
	for _, file := range files {
		for _, m := range file.Matches {
			list = append(list, policy.Finding{Path: file.Path, Name: m.Name, Regex: m.Regex, Lines: m.Lines})
		}
	}
	return list, nil
}
