# Everything runs inside .venv, which `make demo` and `make test` set up by themselves; nothing is installed globally.
PYTHON ?= python3
BIN := .venv/bin

# A newcomer's shell may hold keys and addresses of other work: tests must not see them.
# Nor may Python be told to compile everything anew in each of the hundreds of processes that tests start.
CLEAN_ENV := env -u OPENAI_API_KEY -u OPENAI_BASE_URL -u PYTHONDONTWRITEBYTECODE $(foreach name,$(filter TOOLKIT_%,$(.VARIABLES)),-u $(name))

# One more worker than small machines have cores: many tests wait for something, and another one works meanwhile.
PARALLEL := -n 3 --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help demo test test-all coverage lint types mypy pyright bench bench-search peers fuzz soak clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/standard.stamp  ## an assistant calls two functions at once; no key, no port (or your model: see README.md)
	@$(BIN)/toolkit run examples/weather_assistant.py --store sqlite:///:memory: --steps \
		"What's the weather in San Francisco today and the likelihood it'll rain?"

test: .venv/dev.stamp  ## what CI runs: linters, type checkers, and the tests that are not slow
	@$(MAKE) --no-print-directory -j 2 lint types
	$(CLEAN_ENV) $(BIN)/python -m pytest -m "not slow" $(PARALLEL)

coverage: .venv/dev.stamp  ## the same tests, counted: which lines none of them reaches (takes twice as long)
	@$(CLEAN_ENV) $(BIN)/coverage erase
	$(CLEAN_ENV) $(BIN)/python -m pytest -m "not slow" $(PARALLEL) --cov --cov-report=
	@$(BIN)/coverage report --show-missing --skip-covered --skip-empty

test-all: .venv/dev.stamp  ## the tests of make test, the slow ones, and more of other people's clients
	@$(MAKE) --no-print-directory -j 2 lint types
	$(CLEAN_ENV) $(BIN)/python -m pytest $(PARALLEL)

lint: .venv/dev.stamp
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: mypy pyright

mypy: .venv/dev.stamp
	$(BIN)/mypy

pyright: .venv/dev.stamp
	$(BIN)/pyright --pythonpath $(BIN)/python

bench: .venv/dev.stamp  ## measure against the budgets
	@$(CLEAN_ENV) $(BIN)/python tests/benchmarks/run.py

bench-search: .venv/dev.stamp  ## compare rankings on real documentation (half an hour the first time)
	@$(CLEAN_ENV) $(BIN)/python tests/benchmarks/search/run.py

peers: .venv/dev.stamp .venv/peers/stamp .venv/swarm/stamp  ## install other libraries beside .venv, and see what docs/compare.md says of them
	@$(CLEAN_ENV) $(BIN)/python tests/compare/run.py

fuzz: .venv/dev.stamp  ## send what no client would for about half an hour, and hold the answers to the official schema
	@$(CLEAN_ENV) $(BIN)/python tests/fuzz/run.py

soak: .venv/dev.stamp  ## kill servers under load for 15 minutes, and count what is lost
	@$(CLEAN_ENV) $(BIN)/python tests/soak/run.py

clean:  ## remove .venv and everything built
	rm -rf .venv build dist .coverage* .mypy_cache .pytest_cache .ruff_cache .hypothesis

# Other libraries in environments of their own: nothing of ours needs them.
.venv/%/stamp: tests/compare/%.txt | .venv/dev.stamp
	@echo "Setting up $(@D) (once, some minutes)..."
	@$(BIN)/python -m venv $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check -r $< >$(@D)/setup.log 2>&1 || { tail -n 5 $(@D)/setup.log; echo "The set-up failed: see $(@D)/setup.log, then try again."; exit 2; }
	@touch $@

# A stamp is older than pyproject.toml: install again.
.venv/%.stamp: pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not here. Install Python 3.11 or newer, or say which: make PYTHON=/path/to/python3"; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$$($(PYTHON) -V) is too old. Install Python 3.11 or newer, or say which: make PYTHON=/path/to/python3.11"; exit 2; }
	@test -x $(BIN)/pip || $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "This Python cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv"; exit 2; }
	@echo "Setting up .venv (once)..."
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]' >.venv/setup.log 2>&1 || { tail -n 5 .venv/setup.log; echo "The set-up failed: see .venv/setup.log, then try again."; exit 2; }
	@touch $@
