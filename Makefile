# SavePage turns web pages into pictures. Two commands matter: make serve, make test.

SHELL   := /bin/bash
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
COMMIT  ?= $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)

# -p: packages tested at once. Several of them drive a browser of their own.
TESTFLAGS ?= -p 2 -timeout 40m
PKG       ?= ./...

# The version comes from here, and a clone that belongs to someone else can still be built.
export GOFLAGS := $(GOFLAGS) -buildvcs=false

.DEFAULT_GOAL := help
.PHONY: help serve build test truth lint fmt bench docs clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

serve: ## find or install a browser, build, and serve on 127.0.0.1:8080
	@scripts/install-browser
	@$(MAKE) --no-print-directory build
	@exec bin/savepage serve

build: ## build bin/savepage
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/savepage ./cmd/savepage

test: ## install what tests need, vet, build, and test with the race detector (PKG=./internal/blob TESTFLAGS=-v)
	@scripts/install-test-tools
	go vet $(PKG)
	@$(MAKE) --no-print-directory build
	go test -race -shuffle=on $(TESTFLAGS) $(PKG)
ifeq ($(PKG),./...)
	go test -timeout 20m -run TestTruth ./internal/truth -heavy
endif

truth: ## render the truth suite and print page, result, time and check (ONLY=sticky KEEP=folder for the pictures)
	@scripts/install-browser
	@cd internal/truth && go test -count=1 -timeout 10m -run 'TestTruth/.*$(ONLY)' -table $(if $(KEEP),-keep '$(abspath $(KEEP))')

lint: ## run the linters (the first run builds them)
	scripts/golangci-lint run ./...

fmt: ## format the code
	scripts/golangci-lint fmt ./...

bench: ## measure against a bare browser (BENCHFLAGS=-only=accepts), or in turns against another revision (BASE=main)
	@scripts/install-browser
	@$(MAKE) --no-print-directory build
	$(if $(BASE),scripts/bench-base '$(BASE)',go run ./bench) $(BENCHFLAGS)

docs: ## write docs/configuration.md and docs/errors.md from the code
	go run ./cmd/savepage docs docs

clean: ## remove what was built
	rm -rf bin
