# Everything here works on a machine that has git, make and Python 3.11 or newer; each target makes what it needs.
#
#   make demo                    the whole story, in the terminal
#   make test, make check        what a change must pass
#   make test-all                … and what needs more than this repository brings (tests/parts.py)
#   make bench ARGS=--quick      speed against measured floors, one JSON line a row
#   make lock ARGS=--upgrade     newer versions of what we stand on

PYTHON ?= python3
ARGS ?=
# Two, not one a core: the tests start servers and agents of their own.
TEST_PROCESSES ?= 2

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
SOURCES := bot conversations runners sessions storage web tests $(wildcard bench)
COMPILE := $(VENV)/.uv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links

.PHONY: install demo test test-all check format bench lock clean
.DEFAULT_GOAL := install

install: $(INSTALLED)

$(INSTALLED): pyproject.toml requirements/bootstrap.txt requirements/dev.txt .ci/venv
	@.ci/venv $(PYTHON) $(VENV)
	@touch $@

demo: $(INSTALLED)
	@$(BIN)/viberator demo $(ARGS)

test: $(INSTALLED)
	$(BIN)/pytest -n $(TEST_PROCESSES) $(ARGS)

test-all: $(INSTALLED)
	$(BIN)/pytest -n $(TEST_PROCESSES) --all-parts $(ARGS)

check: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy $(SOURCES)
	$(BIN)/lint-imports --no-logo

format: $(INSTALLED)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(INSTALLED)
	@$(BIN)/python -m bench $(ARGS)

lock: $(INSTALLED)
	$(COMPILE) $(ARGS) --group pyproject.toml:bootstrap --output-file requirements/bootstrap.txt
	$(COMPILE) $(ARGS) --group pyproject.toml:dev --output-file requirements/dev.txt pyproject.toml

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info build dist
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +
