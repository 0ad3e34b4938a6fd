# The two commands: `make serve` and `make test`. Both do all the set-up.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := $(VENV)/.run-ready
DEV := $(VENV)/.dev-ready

.PHONY: serve river test crash lint format bench pictures clean

serve: $(RUN)
	$(BIN)/python examples/demo.py

river: $(RUN)
	$(BIN)/riverrun serve examples/river --chunk-size 1000 --delay 10ms

test: $(DEV) lint
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --skip-covered --sort=cover

crash: $(DEV)
	$(BIN)/python -m tests.blackbox.crashes --rounds 10000
	$(BIN)/python -m tests.blackbox.stream_crashes --rounds 10000

lint: $(DEV)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(DEV)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(DEV)
	$(BIN)/python -m bench

pictures: $(DEV)
	RIVERRUN_PICTURES=1 $(BIN)/python -m pytest tests/examples

$(RUN): pyproject.toml requirements/run.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes --requirement requirements/run.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(DEV): $(RUN) requirements/dev.txt
	$(BIN)/pip install --quiet --require-hashes --requirement requirements/dev.txt
	touch $@

clean:
	rm -rf $(VENV) .venv-bench .cache build dist
