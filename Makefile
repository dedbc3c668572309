# One command per wish; each sets up on first use. `make help` lists them.
VENV := .venv/bin
STAMP := .venv/.marginproof-setup
INPUTS := pyproject.toml constraints.txt package.json package-lock.json scripts/setup.sh

# Arguments: make demo CHAIN=hardhat TAMPER=1, make test ARGS="-k tree"; SEED and SCALE reach the tests as they are.
# make invariants SEED=1 RUNS=100 DEPTH=1000
CHAIN ?=
TAMPER ?=
ARGS ?=
DATA ?=
SEED ?=
RUNS ?=
DEPTH ?=
# Files of tests are shared out to two processes; PARALLEL= runs them in one.
PARALLEL ?= -n 2 --dist loadfile

.PHONY: help setup demo test check format gas vectors fuzz invariants slither accuracy real-books pages bench test-ray ape-test clean force
.DEFAULT_GOAL := help

help:
	@echo "make demo       the whole system on a local chain  (CHAIN=hardhat, TAMPER=1)"
	@echo "make test       every test  (ARGS=\"-k name\")"
	@echo "make check      format, lint, strict types, Solidity lint"
	@echo "make format     rewrite sources in the project's format"
	@echo "make gas        rewrite tests/gas.json from measurements"
	@echo "make vectors    compare the committed vectors with the specification"
	@echo "make fuzz       the engine against specification, Solidity and checker  (SEED=n, SCALE=n)"
	@echo "make invariants the venue under random actions and lies, with forge  (SEED=n, RUNS=n, DEPTH=n)"
	@echo "make slither    static analysis of the contracts, in a venv of its own"
	@echo "make accuracy   whole requirements against 50 digits  (DATA=folder of option chains)"
	@echo "make real-books real books under every preset  (DATA=folder of option chains)"
	@echo "make pages      run the commands of docs/cli.md and compare their output  (DATA=folder of option chains)"
	@echo "make bench      speed beside peers, into build/bench.json  (ARGS=\"--quick\")"
	@echo "make test-ray   the Ray executor on a cluster of two local nodes"
	@echo "make ape-test   tests/ape with ape's own test runner"
	@echo "make setup      what all of them do first"
	@echo "make clean      remove everything that make made"

setup: $(STAMP)

# node_modules is checked by hand: the stamp alone would not notice that somebody removed it.
$(STAMP): $(INPUTS) $(if $(wildcard node_modules/.package-lock.json),,force)
	@sh scripts/setup.sh
	@touch $@

force:

demo: setup
	@$(VENV)/marginproof demo $(if $(CHAIN),--chain $(CHAIN)) $(if $(TAMPER),--tamper $(TAMPER)) $(ARGS)

test: setup
	@$(VENV)/pytest $(PARALLEL) $(ARGS)

check: setup
	$(VENV)/ruff format --check .
	$(VENV)/ruff check .
	$(VENV)/mypy --strict offchain scripts
	node_modules/.bin/prettier --check 'contracts/**/*.sol' 'tests/foundry/*.sol'
	node_modules/.bin/solhint --noPoster --disc --max-warnings 0 'contracts/**/*.sol'

format: setup
	$(VENV)/ruff check --fix-only --quiet .
	$(VENV)/ruff format .
	node_modules/.bin/prettier --write 'contracts/**/*.sol' 'tests/foundry/*.sol'

gas: setup
	@$(VENV)/python scripts/gas.py

vectors: setup
	@$(VENV)/python scripts/vectors.py check

fuzz: setup
	@PYTHONPATH=tests $(VENV)/python -m differential $(ARGS)

invariants: setup
	@$(VENV)/python scripts/invariants.py $(if $(SEED),--seed $(SEED)) $(if $(RUNS),--runs $(RUNS)) $(if $(DEPTH),--depth $(DEPTH))

# slither's pins do not fit beside the project's: it has a venv of its own.
SLITHER := build/slither-venv

$(SLITHER)/.done: | setup
	@.venv/bin/python -m venv --clear $(SLITHER)
	@$(SLITHER)/bin/python -m pip install --quiet --disable-pip-version-check slither-analyzer==0.11.6
	@touch $@

slither: setup $(SLITHER)/.done
	@$(VENV)/python scripts/slither.py $(ARGS)

accuracy: setup
	@$(if $(DATA),DATA=$(DATA)) $(VENV)/pytest tests/accuracy $(ARGS)

real-books: setup
	@$(VENV)/python scripts/real_books.py $(DATA) $(ARGS)

pages: setup
	@$(VENV)/python scripts/cli_pages.py check $(if $(DATA),--data $(DATA)) $(ARGS)

# Extras are installed when first asked for.
RAY_STAMP := .venv/.marginproof-ray

$(RAY_STAMP): $(STAMP)
	@$(VENV)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[ray]'
	@touch $@

# A peer that cannot be installed is reported as missing in its row.
bench: setup
	@$(VENV)/python -c 'import QuantLib, vollib.black' 2>/dev/null || $(VENV)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[bench]' || echo "QuantLib or vollib could not be installed: their rows say so." >&2
	@$(VENV)/python scripts/bench.py $(ARGS)

test-ray: setup $(RAY_STAMP)
	@$(VENV)/pytest tests/cluster $(ARGS)

ape-test: setup
	@$(VENV)/ape test $(ARGS)

clean:
	rm -rf .venv node_modules build .pytest_cache .hypothesis .mypy_cache .ruff_cache .build offchain/*.egg-info
