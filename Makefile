# SavePage turns web pages into pictures. Two commands matter: make serve, make test.

SHELL   := /bin/bash
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
COMMIT  ?= $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)

CLUSTER   ?= data-cluster
PREFIX    ?= /usr/local
TESTFLAGS ?= -timeout 40m
PKG       ?= ./...
# What make quick leaves out: packages whose tests need a browser or the built program.
BROWSER   := cmd/savepage|internal/(browser|hostile|page|truth)

# The version comes from here, and a clone that belongs to someone else can still be built. All that is built shares -trimpath,
# so that nothing is compiled twice.
export GOFLAGS := $(GOFLAGS) -buildvcs=false -trimpath

.DEFAULT_GOAL := help
.PHONY: help serve serve-cluster build install test quick truth hostile hostile-teeth lint fmt bench soak campaign chaos docs pictures deb check-packages check-chart clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

serve: ## find or install a browser, build, and serve on 127.0.0.1:8080
	@scripts/install-browser
	@$(MAKE) --no-print-directory build
	@exec bin/savepage serve

serve-cluster: ## serve with PostgreSQL, an S3 server and three nodes on this machine; everything is kept in CLUSTER (data-cluster)
	@scripts/install-test-tools cluster
	@$(MAKE) --no-print-directory build
	@CGO_ENABLED=0 go build -o bin/cluster ./bench/cluster
	@exec bin/cluster -data '$(CLUSTER)'

build: ## build bin/savepage
	CGO_ENABLED=0 go build -ldflags '$(LDFLAGS)' -o bin/savepage ./cmd/savepage

install: build ## install the program, its manual pages and completions below PREFIX (/usr/local), for packages below DESTDIR
	install -Dm755 bin/savepage '$(DESTDIR)$(PREFIX)/bin/savepage'
	bin/savepage manpage '$(DESTDIR)$(PREFIX)/share/man/man1'
	@scripts/install-completions bin/savepage '$(DESTDIR)$(PREFIX)/share'

test: ## install what tests need, vet, build, and run all tests (PKG=./internal/blob TESTFLAGS=-v)
	@scripts/install-test-tools
	CGO_ENABLED=0 go vet $(PKG)
	@$(MAKE) --no-print-directory build
	scripts/test $(PKG) -- $(TESTFLAGS)

quick: ## run the tests that need no browser, without the race detector
	CGO_ENABLED=0 go test $(shell go list ./... | grep -Ev '/($(BROWSER))$$')

truth: ## render the truth suite in every view and print a table (ONLY=sticky, KEEP=folder for pictures; SAME=19 to compare that many more; PEER=puppeteer to compare; HONEST=/ for the reports)
	@scripts/install-test-tools
ifdef PEER
	@cd internal/truth && go test -count=1 -timeout 60m -run TestPeer -peer '$(PEER)' -only '$(ONLY)'
else ifdef HONEST
	@cd internal/page && go test -count=1 -timeout 60m -run TestHonest -honest '$(HONEST)'
else
	@cd internal/truth && go test -count=1 -timeout 30m -run TestTruth $(if $(SAME),-same $(SAME),-every -table) -only '$(ONLY)' $(if $(KEEP),-keep '$(abspath $(KEEP))')
endif

hostile: ## render the hostile pages behind the guard, with canaries, and print case, expected, seen
	@scripts/install-browser
	@cd internal/hostile && go test -count=1 -timeout 20m -run "TestGuarded|TestJailed|TestInward|TestBombs"

hostile-teeth: ## render them with everything allowed: each case must reach its canary
	@scripts/install-browser
	@cd internal/hostile && go test -count=1 -timeout 10m -run TestTeeth -unguarded

lint: ## run the linters (the first run builds them)
	@list="$$(gofmt -l $$(git ls-files '*.go'))"; test -z "$$list" || { echo "gofmt would change: $$list"; exit 1; }
	scripts/golangci-lint run ./...

fmt: ## format the code
	scripts/golangci-lint fmt ./...

bench: ## measure against a bare browser and, with PEERS=1, puppeteer-cluster (BENCHFLAGS=-only=accepts), or in turns against another revision (BASE=main)
	@scripts/install-browser
	$(if $(PEERS),@scripts/install-test-tools peers)
	@$(MAKE) --no-print-directory build
	$(if $(BASE),scripts/bench-base '$(BASE)',go run ./bench $(if $(PEERS),-peers)) $(BENCHFLAGS)

soak: ## run the service under full load and fail on growth (SOAKFLAGS="-for 5m")
	@scripts/install-browser
	@$(MAKE) --no-print-directory build
	go run ./bench/soak $(SOAKFLAGS)

campaign: ## kill and freeze processes of every kind under load, and fail on what was lost (CAMPAIGNFLAGS="-kill 30 -captures 0")
	@scripts/install-browser
	@$(MAKE) --no-print-directory build
	go run ./bench/soak -kill 300 -captures 2000 $(CAMPAIGNFLAGS)

chaos: ## let faults of every kind happen to three nodes with PostgreSQL and a bucket, and look for what was lost (SEED=n repeats them)
	@scripts/install-test-tools
	CGO_ENABLED=0 go build -tags chaos -ldflags '$(LDFLAGS)' -o bin/savepage-chaos ./cmd/savepage
	go run ./bench/soak -binary bin/savepage-chaos -chaos 120 -captures 2000 $(if $(SEED),-seed $(SEED)) $(CHAOSFLAGS)

docs: ## write docs/configuration.md and docs/errors.md from the code
	go run ./cmd/savepage docs docs

pictures: ## take the pictures of the manual anew, with the program itself
	@scripts/install-test-tools
	@$(MAKE) --no-print-directory build
	scripts/docs-pictures bin/savepage

deb: ## build the Debian package into bin
	@$(MAKE) --no-print-directory build
	@scripts/make-deb '$(VERSION)'

check-packages: ## install the Debian package and do the steps of the container image in Debian roots of their own (as root)
	@$(MAKE) --no-print-directory deb
	scripts/check-deb bin/savepage.deb
	scripts/check-image

check-chart: ## render the Helm chart and read the result as Kubernetes does
	cd deploy/helm/check && CGO_ENABLED=0 go test -count=1 .

clean: ## remove what was built
	rm -rf bin
