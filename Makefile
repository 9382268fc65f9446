# Every target sets up what it needs. `make help` lists them.
#
# VECTORBT chooses the vectorbt to work against, each in an environment of its own: make test VECTORBT=0.28.5
# PYTHON chooses the interpreter that environments are made with:                   make test PYTHON=python3.12
# ARGS is passed on to pytest:                                                      make test ARGS="tests/stores -x"
# FUZZ_SECONDS is how long each reader is fuzzed:                                 make fuzz FUZZ_SECONDS=600 ARGS=where
# JOBS is the number of processes that the tests run in, by default one per core:   make test JOBS=0
# CONSTRAINTS is a file of versions for pip to keep to:                             make test CONSTRAINTS=lowest.txt

DEFAULT_VECTORBT := 1.2.0
VECTORBT ?= $(DEFAULT_VECTORBT)
PYTHON ?= python3
ARGS ?=
JOBS ?= auto
FUZZ_SECONDS ?= 30
CONSTRAINTS ?=

# vectorbt before 1.0 does not import under newer plotly, which an oracle of the tests needs.
REQUIREMENTS := "vectorbt==$(VECTORBT)" $(if $(filter 0.%,$(VECTORBT)),"plotly<6")
TEST_EXTRAS ?= test,dev,examples,stats,servers,ui-test$(if $(filter 0.%,$(VECTORBT)),,,oracles)

VENV ?= $(if $(filter $(DEFAULT_VECTORBT),$(VECTORBT)),.venv,.venv-$(VECTORBT))
OVERLAY_VENV ?= .venv-overlay-$(VECTORBT)
RUN := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed
INSTALLED_FOR_TESTS := $(VENV)/.installed-for-tests
INSTALLED_FOR_FUZZING := $(VENV)/.installed-for-fuzzing
OVERLAY_INSTALLED := $(OVERLAY_VENV)/.installed

.PHONY: help setup demo test test-servers test-overlay fuzz lint format bench dist clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

setup: $(INSTALLED_FOR_TESTS)  ## Make the environment of the tests, without running anything in it

demo: $(INSTALLED)  ## Run examples/quickstart.py on real S&P 500 prices
	@$(RUN) examples/quickstart.py

test: $(INSTALLED_FOR_TESTS)  ## Run the test suite; what needs a server that cannot be started is skipped, with the reason
	$(RUN) -m pytest -n $(JOBS) --dist worksteal $(ARGS)

test-servers: $(INSTALLED_FOR_TESTS)  ## Test against PostgreSQL and S3 alone, which are started for it (Debian: postgresql)
	$(RUN) -m pytest -n $(JOBS) --dist worksteal -m servers tests/servers $(ARGS)

test-overlay: dist  ## Install beside vectorbt, run its own tests, uninstall
	$(OVERLAY_VENV)/bin/python tests/packaging/check_install.py dist/*.whl dist/*.tar.gz
	$(OVERLAY_VENV)/bin/python tests/upstream/compare.py dist/*.whl

fuzz: $(INSTALLED_FOR_FUZZING)  ## Fuzz the readers of what others may have written, half a minute each
	$(RUN) -m tests.fuzz --seconds $(FUZZ_SECONDS) $(ARGS)

lint: $(INSTALLED_FOR_TESTS)  ## Check formatting and types, and run the linter
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .
	$(RUN) -m mypy

format: $(INSTALLED_FOR_TESTS)  ## Format the code and apply the linter's safe fixes
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

bench: $(INSTALLED_FOR_TESTS)  ## Run the benchmarks
	$(RUN) -m benchmarks

dist: $(OVERLAY_INSTALLED)  ## Build the sdist, and the wheel out of it, into dist/
	rm -rf dist
	$(OVERLAY_VENV)/bin/python -m build --quiet

clean:  ## Remove environments, caches and distributions; saved runs stay
	rm -rf .venv .venv-* build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .fuzz
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is written last, so an interrupted installation is repeated. The demo needs little, the tests need a lot.
$(INSTALLED): pyproject.toml
	$(call make_venv,$(VENV))
	@echo "Installing vectorbt $(VECTORBT) and the registry into $(VENV): about a minute, once"
	@$(call install,-e ".[examples]")
	@touch $@

$(INSTALLED_FOR_TESTS): $(INSTALLED)
	@echo "Installing what the tests need into $(VENV): about two minutes, once"
	@$(call install,-e ".[$(TEST_EXTRAS)]")
	@touch $@

$(INSTALLED_FOR_FUZZING): $(INSTALLED_FOR_TESTS)
	@$(call install,-e ".[fuzz]")
	@touch $@

# An environment that has vectorbt and, until a test installs it, no registry.
$(OVERLAY_INSTALLED):
	$(call make_venv,$(OVERLAY_VENV))
	$(OVERLAY_VENV)/bin/python -m pip install --disable-pip-version-check -qq $(REQUIREMENTS) build pytest
	@touch $@

# Python compiles what it imports; compiling everything at once would take longer than that.
install = $(VENV)/bin/python -m pip install --disable-pip-version-check --no-compile -qq \
	$(addprefix -c ,$(CONSTRAINTS)) $(REQUIREMENTS) $(1)

define make_venv
@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || { \
	echo "Python 3.11 or newer is needed, but $(PYTHON) is '`$(PYTHON) --version 2>&1`'." >&2; \
	echo "Name another one: make PYTHON=python3.12 ..." >&2; exit 1; }
@$(PYTHON) -c "import ensurepip, venv" 2>/dev/null || { \
	echo "$(PYTHON) cannot make virtual environments. On Debian and Ubuntu: sudo apt-get install python3-venv" >&2; \
	exit 1; }
@$(PYTHON) -m venv $(1)
endef
