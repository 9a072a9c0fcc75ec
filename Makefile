# The verbs of this repository. Each sets itself up: Python 3.11 or later and a package registry are enough.

PYTHON ?= python3
TESTS ?= tests
KUBERNETES_TESTS ?= $(wildcard tests/integration tests/conformance)
# Tests wait for servers as much as they work.
WORKERS ?= $(shell echo $$(( 2 * $$(nproc 2>/dev/null || echo 2) )))
BIN := .venv/bin
READY := .venv/.ready
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo run judges test test-kubernetes test-long check fmt gen docs bench

help: ## list the verbs
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | while IFS="$$(printf '\t')" read -r verb words; do printf '  make %-16s %s\n' "$$verb" "$$words"; done

$(READY): pyproject.toml uv.lock tools/set_up.py
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON) here. Install Python 3.11 or later, or name one: make PYTHON=/path/to/python3 …" >&2; exit 1; }
	@$(PYTHON) tools/set_up.py

demo: $(READY) ## the way of a certificate on this machine, from manifest to renewal, without a cluster
	$(BIN)/certwright demo $(ARGS)

run: $(READY) ## everything in one process: API server, controllers, local ACME CA
	$(BIN)/certwright run $(ARGS)

test: $(READY) ## all tests that need no cluster, Pebble included (TESTS=tests/unit/pki for some of them)
	$(BIN)/python -m tools.test_tools build pebble
	$(BIN)/pytest -q -n $(WORKERS) --dist loadfile $(TESTS) $(ARGS)

judges: $(READY) ## build every program that judges in tests: Pebble, a control plane, Vault, cert-manager (once)
	$(BIN)/python -m tools.test_tools build pebble go-pkcs12 circl kubernetes vault cert-manager cert-manager-rules

test-kubernetes: $(READY) ## the same integration and conformance tests on a real kube-apiserver and etcd
	[ -n "$$KUBEBUILDER_ASSETS" ] || $(BIN)/python -m tools.test_tools build kubernetes
	$(BIN)/pytest -q -n 2 --dist loadfile --cluster real $(KUBERNETES_TESTS) $(ARGS)

test-long: $(READY) ## all tests, the long ones too
	$(BIN)/python -m tools.test_tools build pebble
	$(BIN)/pytest -q -n auto --dist loadfile --long $(TESTS) $(ARGS)

check: $(READY) ## format, lint, types, import directions, unit tests, generated files, docs
	$(BIN)/ruff format --check --quiet
	$(BIN)/ruff check --quiet
	$(BIN)/mypy
	$(BIN)/python -m tools.generate --check
	$(BIN)/pytest -q -n auto --dist loadfile tests/unit tests/compat tests/test_architecture.py tests/test_docs.py $(ARGS)

fmt: $(READY) ## format, and repair what the linter can repair
	$(BIN)/ruff check --fix --quiet || true
	$(BIN)/ruff format

gen: $(READY) ## write the generated files: CRDs, docs/compatibility.md, docs/reference
	$(BIN)/python -m tools.generate

docs: gen ## write the generated pages and check links and examples
	$(BIN)/pytest -q tests/test_docs.py

bench: $(READY) ## measure issuance, memory and starts against their aims (ARGS="--peer" for cert-manager beside us)
	$(BIN)/python -m tools.test_tools build kubernetes pebble
	$(BIN)/python -m bench $(ARGS)
