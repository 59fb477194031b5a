# Every target sets up what it needs: git, make and Python 3.11 or newer are enough.
# uv is used where it is there, venv and pip where not.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
SPEEDS := pipeline classify screen harvest_memory extract dask_extract scale linear report
CHECKS := harvest_faults coverage_of_intervals kill_stages
READY  := $(VENV)/.ready-dev


.PHONY: help run test slow verify lint format bench checks docs model live lock clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

$(READY): requirements-dev.txt pyproject.toml
	@if command -v uv >/dev/null 2>&1; then \
	  uv venv --quiet --allow-existing --python $(PYTHON) $(VENV) && \
	  uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.txt && \
	  uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e . ; \
	else \
	  $(PYTHON) -m venv $(VENV) && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . ; \
	fi
	@touch $@

run: $(READY)  ## run the demo study and write its report
	@$(BIN)/copub run

test: $(READY)  ## run the tests on all cores, with coverage (the slow ones: make slow)
	@$(BIN)/python -m pytest -n auto --maxprocesses 8 -m "not slow and not live" --cov --cov-report=term --cov-fail-under=90 -q

slow: $(READY)  ## run the slow tests too: long kills, large files
	@$(BIN)/python -m pytest -m slow -q

verify: $(READY)  ## run the demo twice in fresh folders and compare every table
	@$(BIN)/python benchmarks/verify_demo.py

lint: $(READY)  ## check style, types and generated documents
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python docs/generate.py --check

format: $(READY)  ## put the code in form
	@$(BIN)/ruff check --fix-only --quiet . ; $(BIN)/ruff format --quiet .

bench: $(READY)  ## print the benchmarks; figures and machine as JSON in benchmarks/results
	@mkdir -p benchmarks/results; for name in $(SPEEDS); do echo "== benchmarks/$$name.py"; \
	  $(BIN)/python benchmarks/$$name.py --json benchmarks/results/$$name.json || exit 1; done

checks: $(READY)  ## print the long checks: faults of the source, coverage of intervals, kills
	@for name in $(CHECKS); do echo "== benchmarks/$$name.py"; $(BIN)/python benchmarks/$$name.py || exit 1; done

docs: $(READY)  ## write the generated documents
	@$(BIN)/python docs/generate.py

model: $(READY)  ## train the shipped models from the training data
	@$(BIN)/python -m copub.technology.train

live: $(READY)  ## check the assumptions about OpenAlex against the real API (needs a network)
	@COPUB_LIVE=1 $(BIN)/python -m pytest -m live -q

lock:  ## write requirements-dev.txt anew (needs uv)
	@uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --quiet -o requirements-dev.txt

clean:  ## remove the virtual environment and caches of tools
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
