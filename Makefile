# The two commands: `make serve` and `make test`. Both do all the set-up.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := $(VENV)/.run-ready
DEV := $(VENV)/.dev-ready
PAGE := src/riverrun/web/build/manifest.json
WORKERS ?= 2
TESTS := $(BIN)/python -m pytest
# Set-up and checks are two at a time, each told in one piece where make can do that.
IN_ONE_PIECE := $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)
TWO_AT_A_TIME := $(MAKE) --no-print-directory --jobs=2 $(IN_ONE_PIECE)
NODE_MODULES := web/node_modules/.package-lock.json

# Tests and benches start many servers; none is to be compiled anew each time.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: page serve river test coverage ready judges crash clean format bench pictures
.PHONY: lint lint-python lint-page test-page

serve: $(RUN)
	@$(MAKE) --no-print-directory $(PAGE) || echo "The page was not built (is npm there?): folders are plain listings."
	$(BIN)/python examples/demo.py

river: $(RUN)
	$(BIN)/riverrun serve examples/river --chunk-size 1000 --delay 10ms

page: $(PAGE)

# First what can run side by side, then what measures time, by itself. Which tests were skipped, and
# why, stands at the end of each.
test:
	@$(TWO_AT_A_TIME) ready lint test-page
	$(TESTS) -n $(WORKERS) --dist worksteal -m "not timing"; together=$$?; \
	$(TESTS) -m timing; alone=$$?; \
	[ $$((together | alone)) = 0 ] || { echo "== What failed above is run once more, alone =="; \
	$(TESTS) --last-failed --last-failed-no-failures none; }

# Counting lines takes two thirds more of the processor, so what is tested every time is not counted.
coverage:
	@$(TWO_AT_A_TIME) ready
	$(BIN)/coverage erase
	$(TESTS) --cov --cov-report= -n $(WORKERS) --dist worksteal -m "not timing"
	$(BIN)/coverage report --skip-covered --sort=cover

ready: $(DEV) $(PAGE) judges

# What judges us in the tests, and is nobody's dependency.
judges: $(DEV)
	$(BIN)/python -m tests.support.judges
	$(BIN)/python -m tests.support.redbot

test-page: $(NODE_MODULES)
	cd web && npm run --silent test

crash: $(DEV)
	$(BIN)/python -m tests.blackbox.crashes --rounds 10000
	$(BIN)/python -m tests.blackbox.stream_crashes --rounds 10000

lint: lint-python lint-page

lint-python: $(DEV)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

lint-page: $(NODE_MODULES)
	cd web && npm run --silent check

format: $(DEV) $(NODE_MODULES)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	cd web && npm run --silent format

bench: $(DEV)
	$(BIN)/python -m bench

pictures: $(DEV) $(PAGE)
	RIVERRUN_PICTURES=1 $(BIN)/python -m pytest tests/examples tests/page/test_accessibility.py

$(RUN): pyproject.toml requirements/run.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes --requirement requirements/run.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(DEV): $(RUN) requirements/dev.txt
	$(BIN)/pip install --quiet --require-hashes --requirement requirements/dev.txt
	touch $@

$(NODE_MODULES): web/package.json web/package-lock.json
	cd web && npm ci --silent
	touch $@

$(PAGE): $(NODE_MODULES) web/vite.config.ts $(shell find web/src -type f)
	cd web && npm run --silent build -- --logLevel warn

clean:
	rm -rf $(VENV) .venv-bench .cache build dist web/node_modules src/riverrun/web/build
