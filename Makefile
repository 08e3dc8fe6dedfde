# The commands a newcomer needs; `make` alone lists them. Every target can be run again at any time.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
ARGS ?=
PORT ?= 8080

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev search paper test test-slow test-trackers test-rest explore chaos dashboard bench bench-full bench-search bench-study findings
.PHONY: check audit format clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# The stamps hold when requirements last changed, so that a second `make search` starts at once.
$(VENV)/.setup: requirements.txt pyproject.toml | $(VENV)/bin/python
	$(RUN) -m pip install --disable-pip-version-check --no-cache-dir -q -r requirements.txt
	@touch $@

$(VENV)/.setup-dev: requirements-dev.txt $(VENV)/.setup
	$(RUN) -m pip install --disable-pip-version-check --no-cache-dir -q -r requirements-dev.txt
	@touch $@

setup: $(VENV)/.setup  ## create .venv and install the pinned requirements
setup-dev: $(VENV)/.setup-dev  ## the same with the development tools

# Without ARGS a tour of minutes; the defaults of run_search.py itself (20 whole runs, ten seeds) take four times as long.
search: setup  ## a small study on the synthetic dataset, with arms and report (ARGS="-d lfm2k" for a real one)
	$(RUN) study/run_search.py $(if $(ARGS),$(ARGS),--budget 4x --fresh-seeds 3)

paper: setup  ## search, ablations of the suite paper, tables, figures, report (ARGS="-d lfm2k -d ml-100k")
	$(RUN) study/run_search.py --suite paper $(ARGS)

test: setup-dev  ## the default tests (under two minutes on two cores)
	$(RUN) -m pytest -n auto $(ARGS)

test-slow: setup-dev  ## the tests that train for seconds or more
	$(RUN) -m pytest -m slow $(ARGS)

test-trackers: setup-dev  ## MLflow and Weights & Biases: install both (170 MB) and read back what they keep
	$(RUN) -m pip install --disable-pip-version-check --no-cache-dir -q -r requirements-trackers.txt
	$(RUN) -m pytest -m "slow or not slow" tests/study/listeners/test_trackers.py $(ARGS)

test-rest: setup-dev  ## what CI leaves out: tests that a busy machine can fail, new property examples, kills, trackers
	$(RUN) -m pytest -m timing $(ARGS)
	$(MAKE) explore test-trackers chaos

explore: setup-dev  ## the property tests on examples that nobody has seen yet
	SEA_EXPLORE=1 $(RUN) -m pytest -n auto -m hypothesis $(ARGS)

chaos: setup-dev  ## kill drivers and the real program, often (SEA_CHAOS_SEED=... repeats a run)
	SEA_CHAOS_KILLS=$${SEA_CHAOS_KILLS:-24} $(RUN) -m pytest -m chaos -p no:xdist -s $(ARGS)

dashboard: setup-dev  ## optuna-dashboard on a study: STUDY=results/<study>, PORT=8080
	@test -f "$(STUDY)/study.db" || { echo "no study.db there: make dashboard STUDY=results/<study>" >&2; exit 2; }
	$(VENV)/bin/optuna-dashboard --port $(PORT) "sqlite:///$(STUDY)/study.db"

bench: setup-dev  ## speed and memory as ratios in one run, about 2 minutes (ARGS="--epoch-of FOLDER" for more)
	$(RUN) benchmarks/bench.py $(ARGS)

bench-full: setup-dev  ## the same with growth curves and the whole item graph of 63,001 items (10 to 20 minutes)
	$(RUN) benchmarks/bench.py --full $(ARGS)

bench-search: setup-dev  ## ways to search, simulated on learning curves on file (about an hour; ARGS="--repeats 20")
	$(RUN) benchmarks/bench_search.py --workers 2 $(ARGS)

bench-study: setup-dev  ## trials per minute of two workers over those of one, and the time to show a large study
	$(RUN) benchmarks/study_throughput.py $(ARGS)
	$(RUN) benchmarks/report_speed.py

findings: setup-dev  ## docs/findings.md from its template and the gallery's tables (ARGS=--check compares)
	$(RUN) benchmarks/make_findings.py $(ARGS)

check: setup-dev  ## format, lint, types and import rules
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

audit: setup-dev  ## every config field alive, every cache key covering its inputs
	$(RUN) study/audit.py --quiet $(ARGS)

format: setup-dev  ## format and fix what can be fixed
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

clean:  ## remove caches, not results
	rm -rf .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis build *.egg-info
