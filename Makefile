# What can be done with this tree. `make` alone lists it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run test lint fuzz soak bench screenshots test-kernels test-terminal deb test-deb test-systemd clean

BIN := .venv/bin

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what esr needs (through apt when root) and make .venv/bin/esr
	@scripts/setup run

setup-dev: ## the same, with what tests and lint need
	@scripts/setup test

run: setup ## start the app; without a terminal, a demo session told as text
	@if [ -t 0 ] && [ -t 1 ]; then exec $(BIN)/esr demo --if-new; else exec $(BIN)/esr demo --headless; fi

test: lint ## lint, then every test (root: also the real kernel, a real sshd); JOBS=2 in two processes
	@$(BIN)/python -m pytest -n $(or $(JOBS),0) --dist loadgroup --no-loadscope-reorder

lint: setup-dev ## ruff, mypy --strict, the import contract
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

fuzz: setup-dev ## every decoder: led by coverage (atheris) for half an hour, then an hour of damaged recordings
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'atheris>=3,<4'
	@$(BIN)/python tests/fuzz/run.py 100
	@ESR_FUZZ=20000 ESR_FUZZ_SEED=$$RANDOM$$RANDOM $(BIN)/python -m pytest tests/fuzz tests/exchange/test_exchange_fuzz.py

soak: setup-dev ## a day's sessions in MINUTES=60, 200 kills of the recorder, 500 logins at once, faults and storms at length
	@$(BIN)/python tests/soak/run.py $(or $(MINUTES),60)
	@ESR_KILLS=200 ESR_LOGINS=500 ESR_STOPPED=10 ESR_OUTPUT_MB=1000 ESR_LOUD=2 ESR_FUZZ_SEED=$$RANDOM $(BIN)/python -m pytest -rP \
	  tests/e2e/test_kill_recorder.py tests/e2e/test_many_logins.py tests/e2e/test_faults.py tests/e2e/test_storms.py

bench: ## measure what capture costs and how soon the screen follows
	@scripts/setup bench
	@$(BIN)/python tests/bench/run.py

screenshots: ## make screenshots/ anew from real recordings
	@scripts/setup screenshots
	@$(BIN)/python tests/screenshots.py

test-kernels: setup-dev ## one session end to end on other kernels, in qemu
	@tests/kernels/run.sh

test-terminal: setup-dev ## the emulator beside tmux at forty moments of each stream; 20,000 mutated streams
	@ESR_THOROUGH=1 $(BIN)/python -m pytest tests/terminal

deb: setup-dev ## make a Debian package in dist/
	@scripts/deb

test-deb: deb ## install, use and remove the package in fresh systems
	@tests/deb/run.sh

test-systemd: deb ## the service under a systemd that runs a machine, in qemu
	@tests/systemd/run.sh

clean: ## remove everything that make has made
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .fuzz snapshot_report.html
	find esr_tui tests bpf styles -name __pycache__ -type d -prune -exec rm -rf {} +
