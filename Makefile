# `make demo` and `make test` each do all of their own set-up. `make help` lists the rest.

.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.ready
BUILT := gateway/web/static/built/manifest.json
READY := $(INSTALLED) $(BUILT)

# The first python3.x that is at least 3.11 and starts (a version manager's shim may exist and not start).
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3.14 python3.15 python3; do \
	if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	command -v "$$python"; break; fi; done)

.PHONY: help setup demo test check bench bench-kill bench-large bench-ledger soak match-kit match-report catalogues screenshots lock clean

help:  ## list these targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

setup: $(READY)  ## make .venv/ with everything that the other targets need

$(INSTALLED): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Patchwork needs Python 3.11 or newer: no python3.x of that kind starts here." >&2; exit 1; }
	@"$(PYTHON)" .ci/make_venv.py "$(VENV)"
	@echo "Installing what requirements.lock pins (once; a minute or two) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(INSTALLED)

# Needs Node.js and Babel of requirements.lock, but is not made again because one of the two got newer.
$(BUILT): assets/package-lock.json assets/.npmrc .ci/build_assets.py \
		$(wildcard gateway/web/static/src/* gateway/web/locales/*/LC_MESSAGES/*.po) | $(INSTALLED)
	@$(BIN)/python .ci/build_assets.py

demo: $(READY)  ## a hub and five agencies with invented people; stays up until Ctrl-C
	@$(BIN)/patchwork demo

test: $(READY)  ## all tests; lists at the end what could not run here, and why (with CI set, that fails)
	@PYTHONPATH=. $(BIN)/python .ci/get_packages.py
	@$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(READY)  ## format, lint, types, imports
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy gateway connectors mappings consent_ledger tests
	@$(BIN)/lint-imports

bench: $(READY)  ## measure what docs/benchmarks.md describes, into bench.json
	@$(BIN)/python -m tests.bench --out bench.json

bench-large: $(READY)  ## measure with a million people, into bench-large.json; takes a quarter of an hour
	@$(BIN)/python -m tests.bench.bench_large --out bench-large.json

bench-kill: $(READY)  ## kill a node among its answers fifty times; fails unless each has its entry; takes some minutes
	@$(BIN)/python -m tests.bench.bench_kill --kills 50

bench-ledger: $(READY)  ## verify and prove a ledger of a million entries, into bench-ledger.json; takes minutes
	@$(BIN)/python -m tests.bench.bench_ledger --out bench-ledger.json

soak: $(READY)  ## SOAK_MINUTES (10) of questions with killed and hanging nodes and a flood; fails if anything is lost or grows
	@$(BIN)/python -m tests.bench.soak $(ARGS)

match-kit: $(READY)  ## answer QUERIES about REGISTER into OUT/answers.jsonl (tests/matching_kit/README.md)
	@test -n "$(REGISTER)" -a -n "$(QUERIES)" -a -n "$(OUT)" || \
		{ echo "make match-kit REGISTER=register.csv QUERIES=queries.jsonl OUT=folder" >&2; exit 1; }
	@$(BIN)/python -m tests.matching_kit.run --register "$(REGISTER)" --queries "$(QUERIES)" --out "$(OUT)"

match-report: $(READY)  ## measure matching on fresh sets; ARGS="--seeds 8101 8102 8103 --million --out folder"
	@$(BIN)/python -m tests.matching_kit.report $(ARGS)

catalogues: $(READY)  ## bring the translations up to date with the pages' text
	@$(BIN)/python .ci/catalogues.py

screenshots: $(READY)  ## pictures of the main pages into docs/screenshots/
	@PYTHONPATH=. $(BIN)/python .ci/get_packages.py
	@$(BIN)/python -m tests.browser.screenshots

lock:  ## pin the newest allowed versions again (needs uv)
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-annotate --upgrade -o requirements.lock

clean:  ## remove .venv/ and the demonstration's data
	rm -rf $(VENV) demo-data
