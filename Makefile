# Two commands are all a newcomer needs: `make demo` and `make test`. Each prepares what it uses.
SHELL := /bin/bash
.DEFAULT_GOAL := help

VENV    ?= .venv
PYTHON  ?= python3
BIN     := $(abspath $(VENV))/bin
unexport PYTHONDONTWRITEBYTECODE # else each of hundreds of processes compiles what it imports
SOURCES := $(shell find src loadtests chaos schedules hatch_build.py -type f -not -name '*.pyc' 2>/dev/null)

.PHONY: help setup demo test lint bench dist lock clean
help:
	@echo 'make demo    testbed up, blue-green rollback at 10,000 requests a minute, report, testbed down'
	@echo 'make test    lint, types, unit, property and end-to-end tests'
	@echo 'make lint    ruff and mypy only'
	@echo 'make bench   benchmarks, as ratios within one run'
	@echo 'make dist    wheel and sdist in dist/, installed without extras and used as a stranger would'
	@echo 'make setup   system packages, virtual environment, pinned dependencies; the others do it when needed'

setup: $(VENV)/.installed

# System packages are wanted, not required: what is missing is said, and the product goes on without it.
$(VENV)/.system: .ci/system-packages
	@mkdir -p $(VENV)
	@.ci/system-packages
	@touch $@

$(VENV)/.test-system: .ci/system-packages
	@mkdir -p $(VENV)
	@.ci/system-packages test
	@touch $@

$(VENV)/.dependencies: requirements.lock .ci/install-locked $(VENV)/.system
	PYTHON=$(PYTHON) .ci/install-locked $< $(VENV)
	@touch $@

# The demo needs neither what only the tests use nor the extras that it does not show.
$(VENV)/.demo-dependencies: .ci/demo.lock .ci/install-locked $(VENV)/.system
	PYTHON=$(PYTHON) .ci/install-locked $< $(VENV)
	@touch $@

# The wheel, not the source tree, is what is installed: what is tested is what is shipped.
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
define install-wheel
@rm -rf $(VENV)/wheel
$(PIP) wheel --no-deps --no-build-isolation --wheel-dir $(VENV)/wheel .
$(PIP) install --no-deps --force-reinstall $(VENV)/wheel/*.whl
@touch $@
endef

$(VENV)/.installed: $(VENV)/.dependencies pyproject.toml README.md $(SOURCES)
	$(install-wheel)

$(VENV)/.demo-installed: $(VENV)/.demo-dependencies pyproject.toml README.md $(SOURCES)
	$(install-wheel)

demo: $(if $(wildcard $(VENV)/.dependencies),setup,$(VENV)/.demo-installed)
	$(BIN)/seatrial demo

lint: setup
	$(BIN)/ruff format --check src tests loadtests
	$(BIN)/ruff check src tests loadtests
	$(BIN)/mypy

# Most tests wait for processes: four at a time leave two cores with hardly anything to wait for. What takes long
# for what a shorter test shows in part belongs to `make bench`.
test: setup $(VENV)/.test-system
	@$(MAKE) --no-print-directory -j 2 lint run-tests

# The type checker has one core, and this the other. Tests are compiled first, or four workers would each do that.
.PHONY: run-tests
run-tests: setup
	@$(BIN)/python -m pytest -qq -p tests.support.compiled --collect-only >/dev/null || true
	$(BIN)/python -m pytest -n 4 -m 'not long'

# Campaigns are programs; comparisons of several generators or readers are collected by pytest.
CAMPAIGNS := $(basename $(notdir $(shell grep -l __main__ tests/bench/bench_*.py)))
bench: setup $(VENV)/.test-system
	$(BIN)/python -m pytest -q -n 2 --hypothesis-profile thorough --timeout 1800 -m long
	$(BIN)/python -m pytest tests/bench -q -s -p no:randomly --timeout 900 -o python_files='bench_*.py'
	@for campaign in $(CAMPAIGNS); do echo "== $$campaign"; $(BIN)/python -m tests.bench.$$campaign || exit 1; done

dist: setup
	rm -rf dist
	$(BIN)/python -m build --no-isolation --skip-dependency-check --outdir dist
	.ci/try-dist dist $(PYTHON)

# The result names no registry host.
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
lock: setup
	$(LOCK) --all-extras --group dev pyproject.toml -o requirements.lock
	$(LOCK) --extra testbed --group build -c requirements.lock pyproject.toml -o .ci/demo.lock

clean:
	rm -rf $(VENV) dist runs .mypy_cache .ruff_cache .pytest_cache
