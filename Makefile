# Windlass. `make run` and `make test` are all that is needed; both fetch what
# the machine lacks.

SHELL := /bin/bash
GO    ?= go

# The race detector needs a C compiler.
RACE := $(if $(shell command -v gcc || command -v clang),-race)

SOURCES := $(shell find cmd internal migrations web -name '*.go' -o -name '*.sql' -o -name '*.css' -o -name '*.svg' -o -name '*.yaml' 2>/dev/null)
BUNDLE  := web/static/dist/console.js
# The editor of bundles is loaded by its page alone: it is several times larger.
EDITOR  := web/static/dist/policies.js

.PHONY: run build assets generate test check bench fuzz pictures clean postgres browser

# exec, so that Ctrl-C reaches the program and nothing between.
run: bin/console postgres
	@exec bin/console

build: bin/console bin/anchore-cli

bin/console: go.mod go.sum $(SOURCES) $(BUNDLE) $(EDITOR)
	$(GO) build -o $@ ./cmd/console

bin/anchore-cli: go.mod go.sum $(SOURCES)
	$(GO) build -o $@ ./cmd/anchore-cli

assets: $(BUNDLE) $(EDITOR)

$(BUNDLE): web/package.json web/package-lock.json web/node_modules/.package-lock.json $(wildcard web/static/js/*.js)
	$(GO) tool esbuild web/static/js/main.js --bundle --minify --format=iife --target=es2022 --log-level=warning --outfile=$@

$(EDITOR): web/package.json web/package-lock.json web/node_modules/.package-lock.json web/static/js/policies.js
	$(GO) tool esbuild web/static/js/policies.js --bundle --minify --format=iife --target=es2022 --log-level=warning --outfile=$@

web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	cd web && npm ci --ignore-scripts --no-progress
	@touch $@

generate:
	$(GO) generate ./...

# PostgreSQL's server, when neither the system nor an earlier run has one.
postgres:
	@.ci/postgres

# Chromium for the browser tests.
browser:
	@.ci/chromium

test: assets postgres browser
	$(GO) test $(RACE) -timeout 28m ./...
	@echo "Agreement with the reference tool on the real feed, and the hostile images, without the race detector"
	$(GO) test -timeout 20m -run 'Reference|Agree|Hostile|StaysSmall|Outlives' ./cmd/console ./internal/engine/analyzer ./internal/engine/vuln

# Every page in both themes at three widths, in artifacts/walk, and the README's
# pictures from what the tests of the sample see.
pictures: assets postgres browser
	WINDLASS_LOOKS=all $(GO) test -count 1 -timeout 40m -run '^TestWalk$$' ./internal/bff
	$(GO) test -count 1 -timeout 20m -run '^TestSampleWithoutNetwork$$' ./cmd/console
	mkdir -p docs/images
	cp artifacts/sample-overview-light-1440.png docs/images/overview.png
	cp artifacts/sample-vulnerabilities-top.png docs/images/vulnerabilities.png

check:
	@.ci/check

# Ratios against a baseline in one run; see docs/performance.md.
bench: build assets postgres
	@.ci/bench

fuzz:
	@.ci/fuzz

clean:
	rm -rf bin web/node_modules web/static/dist/* artifacts
