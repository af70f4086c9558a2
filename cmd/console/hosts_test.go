package main

import (
	"fmt"
	"testing"

	"windlass/internal/engine/enginetest"
)

// A further host with nothing but an analyzer takes jobs of the engine on the
// shared database, brings the data in use onto itself and stores matches.
func TestAnalyzerOnAnotherHost(t *testing.T) {
	feed, more := slowFeed(t)
	close(more)
	db := "--database-url=" + enginetest.Database(t)
	reg := enginetest.Registry(t)
	image := reg.Push(t, "team/shop:1.0", enginetest.NodePython(t))
	key := "--secret-key=" + fmt.Sprintf("%064x", 7)

	first := start(t, dataDir(t), db, key, "--feeds-url="+feed, "--services=apiext,catalog,policy_engine,simplequeue", "--host-id=one")
	first.sync(t)
	start(t, dataDir(t), db, key, "--feeds-url="+feed, "--services=analyzer", "--web=off", "--host-id=two")
	first.awaitUp(t)
	digest := first.analyze(t, image, "") // on the other host
	until(t, "its vulnerabilities are found", func() bool { return len(first.findings(t, digest)) > 0 })
}
