# Every target sets up what it needs in .venv: git, make and Python 3.11 or newer are enough.
# `make run` installs what copub needs, from requirements.txt; the other targets install
# requirements-dev.txt, which holds the same versions and the tools of development.

BIN    := .venv/bin
SPEEDS := pipeline classify screen harvest_memory extract dask_extract scale linear panel report
CHECKS := harvest_faults coverage_of_intervals coverage_of_growth reading_widths kill_stages robustness
READY  := .venv/.ready-dev
COVERAGE := --cov --cov-report=term --cov-fail-under=90
LOCK   := uv pip compile pyproject.toml --group build --universal --python-version 3.11 --generate-hashes \
          --no-strip-extras --no-emit-index-url --no-header --quiet

.PHONY: help run test coverage slow verify lint format bench checks docs example site golden mutants model live lock clean
.NOTPARALLEL:

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' Makefile | sed 's/:.*##/\t/' | expand -t 12

.venv/.ready-run: requirements.txt pyproject.toml
	@tools/setup requirements.txt "what copub needs (about 215 MB to download, 850 MB on disk)"
	@touch $@

.venv/.ready-dev: requirements-dev.txt pyproject.toml
	@tools/setup requirements-dev.txt "what copub and its development need (about 425 MB to download, 1.8 GB on disk)"
	@touch .venv/.ready-run $@

run: .venv/.ready-run  ## run the demo study and write its report
	@$(BIN)/python -m copub run

# One test process per core: threads inside each would only wait for each other.
test coverage: export POLARS_MAX_THREADS := 1
test coverage: export OMP_NUM_THREADS := 1
# Commands that tests start are compiled once, not each time.
test coverage: export PYTHONDONTWRITEBYTECODE :=

test: $(READY)  ## run the tests on all cores (the slow ones: make slow)
	@$(BIN)/python -m pytest -n auto --maxprocesses 8 -m "not slow and not live" -q

coverage: $(READY)  ## run the tests and print which lines they reach; at least 90 % are asked for
	@$(BIN)/python -m pytest -n auto --maxprocesses 8 -m "not slow and not live" $(COVERAGE) -q

slow: $(READY)  ## run the slow tests too: long kills, large files, random searches with more examples
	@COPUB_EXAMPLES=200 $(BIN)/python -m pytest -m "slow or hypothesis" -q

verify: $(READY)  ## run two studies under several conditions and compare every table
	@$(BIN)/python benchmarks/same_bytes.py

lint: $(READY)  ## check style, types and generated documents
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python -m mypy
	@$(BIN)/python docs/generate.py --check

format: $(READY)  ## format the code
	@$(BIN)/python -m ruff check --fix-only --quiet . ; $(BIN)/python -m ruff format --quiet .

bench: $(READY)  ## print the benchmarks; figures and machine as JSON in benchmarks/results
	@mkdir -p benchmarks/results; for name in $(SPEEDS); do echo "== benchmarks/$$name.py"; \
	  $(BIN)/python benchmarks/$$name.py --json benchmarks/results/$$name.json || exit 1; done

checks: $(READY)  ## print the long checks: faults of the source, coverage of intervals, kills
	@for name in $(CHECKS); do echo "== benchmarks/$$name.py"; $(BIN)/python benchmarks/$$name.py || exit 1; done

docs: $(READY)  ## write the generated documents
	@$(BIN)/python docs/generate.py

example: $(READY)  ## write page and picture of the demo into docs (needs a Chromium)
	@$(BIN)/python tools/example.py

site: $(READY)  ## build the documentation site in site/, without a network
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

golden: $(READY)  ## write the golden tables, after a deliberate change of their results
	@$(BIN)/python -m tests.golden.tables --write

mutants: $(READY)  ## break rules of the code one by one and check that a test fails
	@$(BIN)/python benchmarks/mutants.py

model: $(READY)  ## train the shipped models from the training data
	@$(BIN)/python -m copub.technology.training.train

live: $(READY)  ## check the assumptions about OpenAlex against the real API (needs a network)
	@COPUB_LIVE=1 $(BIN)/python -m pytest -m live -q -rP

lock:  ## write both lock files anew, with the fewest changes (needs uv)
	@$(LOCK) --extra dev -o requirements-dev.txt
	@$(LOCK) --constraint requirements-dev.txt -o requirements.txt

clean:  ## remove the virtual environment and caches of tools
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
