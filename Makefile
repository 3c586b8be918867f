# Everything a person types. `make run` and `make test` need nothing but Python 3.11 (or newer) and make.
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
CLIENTS := .venv-clients
COMPILE = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras \
	--no-emit-index-url --no-header
# the tests that between them run every statement of sql/
WITH_SQL = $(addprefix lp_pipeline_tests/,communications/test_matching.py runs/test_backfill.py \
	insight/test_report.py insight/test_explain.py runs/upkeep/test_forget.py runs/upkeep/test_backup.py \
	$(addprefix transform/test_,model.py replay.py held.py rezone.py dates.py field_names.py) \
	delivery/test_dry_run.py \
	$(addprefix storage/test_,records.py contents.py publish.py published.py migration.py analysis.py engine.py comments.py))
LOCK = $(COMPILE) --all-extras pyproject.toml
export DAGSTER_HOME := $(CURDIR)/.dagster
unexport PYTHONDONTWRITEBYTECODE # or each process of hundreds would compile everything anew

.PHONY: help run dev test test-long test-browser test-full lint types check compat-sql compat compat-docs clients drills year bench docs lock clean setup home

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1\t\2/p' Makefile | while IFS=$$'\t' read -r target text; do \
		printf '%-12s %s\n' "$$target" "$$text"; done

run: setup home ## one sync (on the sandbox, unless lp_pipeline.env says otherwise), then its result
	@$(BIN)/lp-pipeline sync

dev: setup ## the Dagster UI and daemon on http://127.0.0.1:3000 (PORT=), a sync every 15 minutes; ARGS=--replace
	@$(BIN)/lp-pipeline dev --port $${PORT:-3000} $(ARGS)

test: setup ## the everyday test suite
	$(BIN)/python -m pytest -n 3

test-long: setup ## the slower tests: whole processes, killed or side by side
	$(BIN)/python -m pytest -n 5 --maxschedchunk 1 -m "slow and not marathon" --ignore lp_pipeline_tests/browser

test-browser: setup ## the Dagster UI in a Chromium (on Debian: apt-get install chromium)
	$(BIN)/python -m pytest -m slow lp_pipeline_tests/browser $(ARGS)

test-full: test test-long test-browser ## all suites

lint: setup ## style, formatting and the layers of the package
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: setup ## the strict type checker
	$(BIN)/mypy

check: test lint types ## tests, lint and types: before every commit

compat-sql: setup ## the SQL and the published file on DuckDB 1.5
	@test -x .venv-duckdb15/bin/python || $(PYTHON) -m venv .venv-duckdb15
	.venv-duckdb15/bin/python -m pip install -qq --disable-pip-version-check --no-deps --require-hashes -r requirements-duckdb15.lock
	.venv-duckdb15/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	.venv-duckdb15/bin/python -m pytest -n 3 $(WITH_SQL)

compat: compat-sql clients ## the same, and the published file with every client of docs/clients.md
	$(BIN)/python -m lp_pipeline_tests.compat

compat-docs: setup clients ## write what the clients make of the file into docs/clients.md
	$(BIN)/python -m lp_pipeline_tests.compat --write

clients: $(CLIENTS)/.ready

drills: setup ## pushes that are killed, answers that get lost, histories of thousands of steps: hours
	$(BIN)/python -m lp_pipeline_tests.drills
	$(BIN)/python -m pytest -n 2 -m marathon --ignore lp_pipeline_tests/stateful
	$(BIN)/python -m pytest -n 2 --hypothesis-profile drills lp_pipeline_tests/stateful

year: setup ## a machine left alone for a simulated year, which must stay flat and well: an hour (TICKS=3000)
	$(BIN)/python -m lp_pipeline_tests.drills.year --ticks $${TICKS:-3000}

bench: setup .venv-dlt/.ready ## measure speed, memory and growth, beside dlt: hours (BENCH="--help" for choices)
	$(BIN)/python -m benchmarks --page docs/performance.md --out docs/performance $(BENCH)

docs: setup ## write the reference pages docs/settings.md, commands.md and questions.md anew from the code
	$(BIN)/python -m lp_pipeline_tests.reference

lock: ## rewrite the lock files (needs uv)
	$(LOCK) --constraint <(echo 'duckdb>=2') -o requirements.lock
	$(LOCK) --constraint <(echo 'duckdb<2') -o requirements-duckdb15.lock
	$(COMPILE) --no-annotate --extra postgres --constraint requirements.lock pyproject.toml - <<<'hatchling' -o requirements-deploy.lock
	$(COMPILE) --no-annotate --extra fleet --constraint requirements.lock pyproject.toml - <<<'hatchling' -o requirements-fleet.lock
	$(COMPILE) requirements-clients.in -o requirements-clients.lock
	$(COMPILE) --no-annotate - <<<'duckdb<2' -o requirements-clients-duckdb15.lock
	$(COMPILE) --no-annotate - <<<'duckdb<1.5' -o requirements-clients-duckdb14.lock
	$(COMPILE) --no-annotate \
		--constraint <(grep -o '^duckdb==[0-9.]*' requirements.lock) benchmarks/requirements-dlt.in \
		-o benchmarks/requirements-dlt.lock

setup: $(VENV)/.ready ## .venv with the locked dependencies; every target above does it at need

home: setup ## where Dagster keeps its runs
	@$(BIN)/lp-pipeline home

$(VENV)/.ready: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than Python 3.11. Set PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Setting up $(VENV) (a minute or two, once) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(CLIENTS)/.ready: $(wildcard requirements-clients*.lock)
	@echo "Setting up $(CLIENTS) (a minute or two, once) ..."
	@rm -rf $(CLIENTS)
	@$(PYTHON) -m venv $(CLIENTS)
	@$(CLIENTS)/bin/python -m pip install -qq --disable-pip-version-check --no-deps --require-hashes -r requirements-clients.lock
	@for old in duckdb15 duckdb14; do $(CLIENTS)/bin/python -m pip install -qq --disable-pip-version-check --no-deps \
		--require-hashes -r requirements-clients-$$old.lock --target $(CLIENTS)/$$old || exit 1; done
	@touch $@

.venv-dlt/.ready: benchmarks/requirements-dlt.lock
	@$(PYTHON) -m venv .venv-dlt
	@.venv-dlt/bin/python -m pip install -qq --disable-pip-version-check --no-deps --require-hashes -r $<
	@touch $@

clean: ## remove all that the targets above made, but no data
	rm -rf $(VENV) .venv-duckdb15 .venv-dlt $(CLIENTS) .benchmarks .dagster .pytest_cache .mypy_cache .ruff_cache .hypothesis
