package enginecontract

import (
	"errors"
	"slices"
	"strings"

	"windlass/internal/engine"
)

// analyzed is the suite's image, once its analysis has ended.
func (t *trial) analyzed() engine.Image {
	t.Helper()
	i, err := t.Engine.AddImage(t.ctx, engine.AddImage{Account: account, Tag: t.Image})
	t.need(err, "AddImage")
	t.until("the image is analyzed", func() bool {
		var err error
		i, err = t.Engine.Image(t.ctx, account, string(i.Digest))
		t.need(err, "Image")
		if i.State == engine.Failed {
			t.Fatalf("the analysis failed: %+v", i.Failure)
		}
		return i.State == engine.Analyzed
	})
	return i
}

func images(t *trial) {
	i := t.analyzed()
	if i.Account != account || len(i.ID) != 64 || i.CreatedAt.IsZero() || i.AnalyzedAt.IsZero() || i.Meta == nil || i.Meta.LayerCount == 0 {
		t.Errorf("the image is %+v", i)
	}
	if len(i.Tags) == 0 || i.Tags[0].Full() != t.Image {
		t.Errorf("its tags are %+v", i.Tags)
	}
	repository := i.Tags[0].Repository
	for name, f := range map[string]engine.ImageFilter{
		"all": {}, "by state": {State: engine.Analyzed}, "by repository": {Repository: repository}, "by text": {Text: repository}, "by digest": {Text: string(i.Digest)},
	} {
		list, _, err := t.Engine.Images(t.ctx, account, f)
		if err != nil || !slices.ContainsFunc(list, func(o engine.Image) bool { return o.Digest == i.Digest }) {
			t.Errorf("%s: not among %d images, %v", name, len(list), err)
		}
		if n, err := t.Engine.CountImages(t.ctx, account, f); err != nil || n != len(list) {
			t.Errorf("%s: %d counted, %d listed, %v", name, n, len(list), err)
		}
	}
	if n, err := t.Engine.CountImages(t.ctx, account, engine.ImageFilter{Text: "none-" + t.tag}); err != nil || n != 0 {
		t.Errorf("of a text that no name has there are %d, %v", n, err)
	}
	states, err := t.Engine.ImageStates(t.ctx, account)
	if err != nil || states[engine.Analyzed] == 0 {
		t.Errorf("states %v, %v", states, err)
	}
	if _, repositories, err := t.Engine.ImageNames(t.ctx, account, 10); err != nil || !slices.Contains(repositories, repository) {
		t.Errorf("repositories %v, %v", repositories, err)
	}
	if list, _, err := t.Engine.ImagesByName(t.ctx, account, t.Image, engine.ImageFilter{}); err != nil || len(list) != 1 || list[0].Digest != i.Digest {
		t.Errorf("by its name: %d images, %v", len(list), err)
	}
	o, err := t.Engine.Overview(t.ctx, account)
	if err != nil || o.Images[engine.Analyzed] == 0 || len(o.Errors) == 0 {
		t.Errorf("the overview has %v and %d errors, %v", o.Images, len(o.Errors), err)
	}
}

func contents(t *trial) {
	i := t.analyzed()
	digest := string(i.Digest)
	classes, err := t.Engine.PackageClasses(t.ctx, account, digest)
	t.need(err, "PackageClasses")
	sum := 0
	for class, n := range classes {
		list, total, err := t.Engine.PackagePage(t.ctx, account, digest, engine.PackageFilter{Class: class, Limit: 1})
		if err != nil || total != n || len(list) != min(n, 1) {
			t.Errorf("class %s: %d of %d packages, counted %d, %v", class, len(list), total, n, err)
		}
		sum += n
	}
	list, total, err := t.Engine.PackagePage(t.ctx, account, digest, engine.PackageFilter{All: true})
	if err != nil || sum == 0 || total != sum || len(list) != sum {
		t.Fatalf("%d packages of %d, %d in classes, %v", len(list), total, sum, err)
	}
	for _, p := range list {
		one, _, err := t.Engine.PackagePage(t.ctx, account, digest, engine.PackageFilter{Key: p.Key, Limit: 2})
		if p.Key == "" || err != nil || len(one) != 1 || one[0].Name != p.Name {
			t.Errorf("the key of %s leads to %+v, %v", p.Name, one, err)
		}
	}
	if s, err := t.Engine.PackageSummary(t.ctx, account, digest); err != nil || s.Total != sum || len(s.Types) == 0 {
		t.Errorf("the summary is %+v, %v", s, err)
	}
	if _, _, err := t.Engine.Matches(t.ctx, account, digest); err != nil {
		t.Errorf("Matches = %v", err)
	}
	files, err := t.Engine.FilePage(t.ctx, account, digest, engine.FileQuery{Browse: true, Limit: 100})
	if err != nil || files.Total == 0 || !slices.ContainsFunc(files.Entries, func(e engine.FileEntry) bool { return e.Folder && e.Files > 0 }) {
		t.Errorf("the root has %+v, %v", files, err)
	}
	for _, name := range []string{engine.DocManifest, engine.DocHistory} {
		if doc, err := t.Engine.Document(t.ctx, account, name, digest); err != nil || len(doc) == 0 || !strings.ContainsAny(string(doc[:1]), "{[") {
			t.Errorf("%s is %.60q, %v", name, doc, err)
		}
	}
	_, err = t.Engine.Document(t.ctx, account, "no_such_document", digest)
	t.is(err, engine.ErrNotFound, "a document that is not there")
}

func judgement(t *trial) {
	i := t.analyzed()
	j, err := t.Engine.Judgement(t.ctx, i, t.Image, "", true)
	t.need(err, "Judgement")
	if j.Digest != i.Digest || j.Tag != t.Image || j.Policy == "" || j.PolicyName == "" || !slices.Contains([]string{"go", "warn", "stop"}, j.Action) || j.At.IsZero() {
		t.Errorf("the judgement is %+v", j)
	}
	for _, r := range j.Rows {
		if r.TriggerID == "" || r.Gate == "" || r.Trigger == "" || r.Action == "" || r.Message == "" {
			t.Errorf("row %+v", r)
		}
	}
	steps, _, err := t.Engine.JudgementHistory(t.ctx, account, string(i.Digest), t.Image, 10)
	if err != nil || len(steps) == 0 || steps[0].Action != j.Action {
		t.Errorf("the history is %+v, %v", steps, err)
	}
	if _, err := t.Engine.Judgement(t.ctx, i, t.Image, "none-"+t.tag, false); err == nil {
		t.Error("a bundle that is not there judged")
	}
}

func badImages(t *trial) {
	for _, name := range []string{"::", "registry.example/a b:1"} {
		if _, err := t.Engine.AddImage(t.ctx, engine.AddImage{Account: account, Tag: name}); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("AddImage(%s) = %v", name, err)
		}
	}
	none := "sha256:" + strings.Repeat("0", 64)
	_, err := t.Engine.Image(t.ctx, account, none)
	t.is(err, engine.ErrNotFound, "an image that is not there")
	list, err := t.Engine.DeleteImages(t.ctx, account, []string{none}, false)
	if err != nil || len(list) != 1 || list[0].Status != "not_found" {
		t.Errorf("DeleteImages = %+v, %v", list, err)
	}
	if err := t.Engine.Reanalyze(t.ctx, account, none); err == nil {
		t.Error("an image that is not there is analyzed again")
	}
}
