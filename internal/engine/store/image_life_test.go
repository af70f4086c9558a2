package store_test

import (
	"errors"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/store"
)

func put(t *testing.T, s *store.Store, n int, change func(*store.NewImage)) bool {
	t.Helper()
	in := store.NewImage{
		Account: "admin", Digest: digestOf(n), ParentDigest: digestOf(n), ID: string(digestOf(n))[7:], Manifest: []byte(`{}`),
		Tag:  engine.ImageTag{Registry: "docker.io", Repository: "app", Tag: "v1"},
		Task: engine.AnalyzeTask{Source: engine.FromRegistry, Pull: "docker.io/app@" + string(digestOf(n))},
	}
	if change != nil {
		change(&in)
	}
	enqueued, err := s.PutImage(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return enqueued
}

func lease(t *testing.T, s *store.Store) (engine.Job, bool) {
	t.Helper()
	j, ok, err := s.LeaseJob(t.Context(), engine.QueueAnalyze, "h", "h/1", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return j, ok
}

func stateOf(t *testing.T, s *store.Store, n int) engine.Image {
	t.Helper()
	img, err := s.Image(t.Context(), "admin", string(digestOf(n)))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func TestPutImageIsIdempotentAndMergesAnnotations(t *testing.T) {
	s := enginetest.Store(t)
	if !put(t, s, 1, func(n *store.NewImage) { n.Annotations = map[string]any{"a": "1", "b": "2"} }) {
		t.Fatal("a new image was not enqueued")
	}
	if put(t, s, 1, func(n *store.NewImage) { n.Annotations = map[string]any{"b": "null", "c": "3"}; n.Tag.Tag = "v2" }) {
		t.Error("an image that waits was enqueued again")
	}
	img := stateOf(t, s, 1)
	if len(img.Annotations) != 2 || img.Annotations["a"] != "1" || img.Annotations["c"] != "3" {
		t.Errorf("annotations %v, want a and c", img.Annotations)
	}
	if len(img.Tags) != 2 {
		t.Errorf("tags %v, want v1 and v2", img.Tags)
	}
}

func TestTagThatComesBackIsNewestAgain(t *testing.T) {
	s := enginetest.Store(t)
	put(t, s, 1, nil)
	put(t, s, 2, nil)
	put(t, s, 1, nil)
	list, _, err := s.ImagesByTag(t.Context(), "admin", engine.ImageTag{Registry: "docker.io", Repository: "app", Tag: "v1"}, engine.ImageFilter{Limit: 1})
	if err != nil || len(list) != 1 || list[0].Digest != digestOf(1) {
		t.Errorf("newest of the tag = %v, %v; want the first image", list, err)
	}
}

func TestCancelFencesTheWorkerAndRequeueRevives(t *testing.T) {
	s := enginetest.Store(t)
	put(t, s, 1, nil)
	j, _ := lease(t, s)
	if err := s.CancelImage(t.Context(), "admin", string(digestOf(1)), "admin"); err != nil {
		t.Fatal(err)
	}
	if img := stateOf(t, s, 1); img.State != engine.Failed || img.Failure == nil || img.Failure.Cause != "cancelled" {
		t.Errorf("after cancel: %+v, want analysis_failed with its cause", img)
	}
	if err := s.FinishJob(t.Context(), j); !errors.Is(err, engine.ErrLeaseLost) {
		t.Errorf("finish by the worker = %v, want ErrLeaseLost", err)
	}
	if err := s.CancelImage(t.Context(), "admin", string(digestOf(1)), "admin"); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("second cancel = %v, want ErrConflict", err)
	}
	if err := s.RequeueImage(t.Context(), "admin", string(digestOf(1))); err != nil {
		t.Fatal(err)
	}
	if _, ok := lease(t, s); !ok || stateOf(t, s, 1).State != engine.NotAnalyzed {
		t.Error("the requeued image is not offered")
	}
}

func TestDeleteRefusesAnAnalysisInHand(t *testing.T) {
	s := enginetest.Store(t)
	put(t, s, 1, nil)
	exec(t, s, `UPDATE images SET state = 'analyzing'`)
	for _, tc := range []struct {
		digest string
		force  bool
		want   string
	}{
		{string(digestOf(1)), false, "delete_failed"},
		{string(digestOf(9)), false, "not_found"},
		{string(digestOf(1)), true, "deleting"},
		{string(digestOf(1)), false, "deleting"},
	} {
		r, err := s.DeleteImage(t.Context(), "admin", tc.digest, tc.force)
		if err != nil || r.Status != tc.want {
			t.Errorf("delete %.20s force=%v = %+v, %v; want %s", tc.digest, tc.force, r, err, tc.want)
		}
	}
	if r, err := s.DeleteImage(t.Context(), "other", string(digestOf(1)), true); err != nil || r.Status != "not_found" {
		t.Errorf("delete by another account = %+v, %v; want not_found", r, err)
	}
	if n, err := s.CollectImages(t.Context(), 10); n != 1 || err != nil {
		t.Errorf("collected %d, %v; want 1", n, err)
	}
	if _, err := s.Image(t.Context(), "admin", string(digestOf(1))); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("after collection: %v, want ErrNotFound", err)
	}
}

func TestRepairLeavesNoImageStuck(t *testing.T) {
	s := enginetest.Store(t)
	put(t, s, 1, nil)
	put(t, s, 2, nil)
	exec(t, s, `UPDATE images SET state = 'analyzing'`)
	exec(t, s, `DELETE FROM jobs WHERE subject = $1`, string(digestOf(1)))
	exec(t, s, `UPDATE jobs SET attempt = max_attempts, leased_until = now() - interval '1 second' WHERE subject = $1`, string(digestOf(2)))
	if n, err := s.RepairImages(t.Context(), engine.Source{}); n != 2 || err != nil {
		t.Fatalf("repaired %d, %v; want 2", n, err)
	}
	if got := stateOf(t, s, 1).State; got != engine.NotAnalyzed {
		t.Errorf("image without a job is %s, want not_analyzed", got)
	}
	if img := stateOf(t, s, 2); img.State != engine.Failed || img.Failure.Cause != "worker_lost" {
		t.Errorf("image whose worker died each time: %+v, want analysis_failed, worker_lost", img)
	}
	if n, err := s.RepairImages(t.Context(), engine.Source{}); n != 0 || err != nil {
		t.Errorf("second repair found %d, %v; want 0", n, err)
	}
}
