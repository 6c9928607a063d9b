# Everything runs in .venv, which is made from requirements.lock, with hashes, when it is missing or out of date.
#
#   make demo      two processes call each other on this machine, then three meet
#   make test      all tests            (PYTEST="-k name" passes options on)
#   make check     format, lint, types, import contracts, requirements: what CI checks before the tests
#   make explore   properties with many random examples, for hours   (PYTEST="tests/mls" chooses)
#   make fuzz      every decoder, a minute each   (FUZZ="service-to-call --seconds 600" chooses)
#   make fuzz-long the same for hours             (FUZZ_SECONDS=3600 for each)
#   make bench     speed of frames, beside a bare AES-GCM call and davey
#   make bench-mls speed of MLS groups, beside mls-rs and ts-mls   (minutes; BENCH_MLS=--quick is faster)
#   make bench-call until a call is heard and seen, a loaded server, loss, beside aiortc alone   (minutes; BENCH_CALL=--quick)
#   make bench-group a thousand members, gaps at epoch changes, what a removed device opens, the forwarding unit   (minutes; BENCH_GROUP=--quick)
#   make spec      the specification as one page: dist/spec.html
#   make conformance-peer     a live peer plays all scenarios with our client, and finds clients with a fault each   (minutes; PEER=--slow has all)
#   make results   the conformance kit against all implementations, and spec/results.md   (minutes; RESULTS="ours" is faster)
#   make mutants   each check taken out, each limit moved, known defects planted: which vector shows it   (a quarter of an hour; MUTANTS="--kinds defects" is faster)
#   make conformance-server   all checks of delivery services against e2ee serve   (minutes)
#   make vectors   generate vectors/ and the specification's indexes again
#   make lock      resolve requirements.lock again

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
TS_MLS := tests/foreign/ts_mls
FUZZ   ?=
FUZZ_SECONDS ?= 3600
DEMO   ?= --once
PYTEST ?=
# more than there are processors: calls with real media wait more than they compute
WORKERS ?= $(shell echo $$(( ($$(getconf _NPROCESSORS_ONLN) * 3 + 1) / 2 )))
RESULTS ?=
PEER ?=
MUTANTS ?= --kinds checks boundaries defects
BENCH_CALL ?=
BENCH_GROUP ?=
BENCH_MLS ?= --plot spec/pictures/bench-mls.png

.DEFAULT_GOAL := help
.PHONY: help setup demo test check format lint types contracts requirements explore fuzz fuzz-long bench bench-call bench-group bench-mls mutants vectors spec results conformance-server conformance-peer lock clean

help:
	@sed -n 's/^#  *\(make .*\)/\1/p' $(firstword $(MAKEFILE_LIST))

setup: $(VENV)/.project

demo: setup
	$(BIN)/e2ee demo $(DEMO)

test: setup $(TS_MLS)/node_modules/.package-lock.json
	$(BIN)/pytest -n $(WORKERS) --dist worksteal $(PYTEST)

check: format lint types contracts requirements

format: setup
	$(BIN)/ruff format --check

lint: setup
	$(BIN)/ruff check

types: setup
	$(BIN)/mypy

contracts: setup
	$(BIN)/lint-imports --no-logo

requirements: setup
	$(BIN)/e2ee vectors check
	$(BIN)/e2ee requirements --check
	$(BIN)/e2ee attack list --markdown | diff - spec/attacks.md

explore: setup $(TS_MLS)/node_modules/.package-lock.json
	HYPOTHESIS_PROFILE=explore $(BIN)/pytest -n auto --dist worksteal $(PYTEST)

fuzz: setup
	$(BIN)/python -m tests.fuzz $(FUZZ)

fuzz-long: setup
	$(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS) --processes 2 $(FUZZ)

bench: setup
	$(BIN)/python -m tests.bench

bench-call: setup
	$(BIN)/python -m tests.bench.call $(BENCH_CALL)

bench-group: setup
	$(BIN)/python -m tests.bench.group $(BENCH_GROUP)

bench-mls: setup $(TS_MLS)/node_modules/.package-lock.json
	$(BIN)/python -m tests.bench.mls $(BENCH_MLS)

spec: setup
	$(BIN)/e2ee spec dist/spec.html

conformance-peer: setup
	$(BIN)/e2ee conformance peer --verbose $(PEER) -- $(BIN)/python -m e2ee.conformance.peer.driver
	$(BIN)/python -m tests.conformance.peer

results: setup $(TS_MLS)/node_modules/.package-lock.json
	$(BIN)/python -m tests.foreign.results $(RESULTS)

mutants: setup
	$(BIN)/python -m tests.mutants $(MUTANTS)

conformance-server: setup
	$(BIN)/python -m tests.conformance.server

vectors: setup
	$(BIN)/e2ee vectors generate
	$(BIN)/e2ee attack list --markdown >spec/attacks.md
	$(BIN)/e2ee requirements --write

# --universal: one lock for all platforms and Pythons; no index is named in it, so that any mirror serves.
lock: setup
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --all-extras --no-emit-package e2ee-calling \
	  --group test --group fuzz --group lint --group bench --group build --group lock --generate-hashes --no-emit-index-url \
	  --no-annotate --custom-compile-command "make lock" --quiet --output-file requirements.lock

clean:
	rm -rf $(VENV) $(TS_MLS)/node_modules tests/foreign/*/target .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .fuzz demo-out dist

# ts-mls, a live peer of the tests, by the node of the environment.
$(TS_MLS)/node_modules/.package-lock.json: $(TS_MLS)/package-lock.json $(VENV)/.requirements
	cd $(TS_MLS) && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --silent --no-audit --no-fund --ignore-scripts
	@touch $@

# Three steps, each done again only when what it depends on is newer: the environment, what we need, we ourselves.
# PIP_* are cleared of what could lead around the hashes.

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "make: Python 3.11 or newer is needed, and $(PYTHON) is not: install it, or name it: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "make: $(PYTHON) lacks its venv module: install it, on Debian and Ubuntu with: apt-get install python3-venv" >&2; exit 1; }
	@rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.requirements: requirements.lock $(VENV)/.created
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes --only-binary :all: -r requirements.lock
	@touch $@

$(VENV)/.project: pyproject.toml $(VENV)/.requirements
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --no-deps --no-build-isolation --no-index --editable .
	@touch $@
