# Four words: run, test, check, bench. Each sets itself up in .venv; needed are only make and Python 3.11 or newer.
#   make run ARGS="--port=9000"      make test ARGS="tests/station -k settle"

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=

# `run` installs what the station needs; the others add what its tests need. A change of setup.cfg installs again.
RUN    := $(VENV)/.installed-run
DEV    := $(VENV)/.installed-test
SOURCE := $(wildcard server.py client handlers station tests bench)
PIP    := $(BIN)/python -m pip --disable-pip-version-check -qq install

.PHONY: run test check cover bench crash docs screenshots wheel format clean
.DEFAULT_GOAL := run

run: $(RUN)
	@$(BIN)/python server.py $(ARGS)

check: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(SOURCE)
	$(BIN)/lint-imports --no-logo

# Three at a time on two cores: browsers, kills and power cuts mostly wait (two took half as long again).
test: $(DEV)
	@sh tests/setup/install.sh
	@sh tests/setup/run-js.sh
	$(BIN)/python -m pytest -n 3 --dist worksteal --durations=10 $(ARGS)

cover: $(DEV)
	$(BIN)/python -m coverage run -m pytest $(ARGS)
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report

bench: $(DEV)
	$(BIN)/python -m bench $(ARGS)

# Cuts the power of a real disk under uploads, as root on Linux: make crash ARGS="--cuts=1000 --seed=2"
crash: $(DEV)
	@$(BIN)/python -m tests.crash.power $(ARGS)

# The made parts of docs/protocol.md, and the words of page and client for errors. A test fails when they are stale.
docs: $(DEV)
	$(BIN)/python -m tests.scenarios.write
	RENEW=1 $(BIN)/python -m pytest -q tests/handlers/test_pages.py tests/client/test_errors.py

# The pictures of docs/pages.md, by a walk through the pages. Chinese needs a font: fonts-wqy-microhei on Debian.
screenshots: $(DEV)
	@sh tests/setup/install.sh
	RENEW=1 $(BIN)/python -m pytest -q tests/e2e/test_screenshots.py

# Its version ends with the time of the commit, or pip would take a new wheel for the one that is installed. In `build`
# setuptools would carry files over from an earlier one; of two in `dist` pip can install neither.
WHEN = $(shell TZ=UTC0 git log -1 --date=format-local:%Y%m%d%H%M%S --format=.post%cd 2>/dev/null)

wheel: $(RUN)
	rm -rf build dist/upload_station-*.whl
	$(BIN)/python -m pip --disable-pip-version-check wheel --no-deps --wheel-dir dist . \
		--config-settings="--global-option=egg_info --tag-build=$(WHEN)"

format: $(DEV)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) tests/clients/node_modules build dist *.egg-info htmlcov .coverage* .mypy_cache .ruff_cache .pytest_cache \
		.import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "The station needs Python 3.11 or newer.")'
	@echo "Setting up $(VENV), once ..." >&2
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }  # Debian without python3-venv makes half of it

$(RUN): setup.cfg pyproject.toml | $(BIN)/python
	@$(PIP) -e .
	@touch $@

$(DEV): setup.cfg pyproject.toml | $(BIN)/python
	@$(PIP) -e ".[test]"
	@touch $@ $(RUN)
