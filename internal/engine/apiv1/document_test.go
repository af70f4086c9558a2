package apiv1

import "testing"

func TestDocumentLoads(t *testing.T) {
	d, err := loadDocument()
	if err != nil {
		t.Fatal(err)
	}
	if got := d.spec.Info.Version; got != "0.1.20" {
		t.Errorf("info.version %s", got)
	}
	if !d.endpoints["getRegistry"].rest || !d.endpoints["importImageArchive"].options.ExcludeRequestBody {
		t.Error("extensions are not read")
	}
}
