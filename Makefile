# Every target builds what it needs into .venv by itself.
PYTHON ?= python3
ROWS ?= 10000
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt

.PHONY: demo docs test test-long fuzz test-server check format bench bench-peers clean
.DEFAULT_GOAL := help

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing Hybridge with its models and both frameworks (a few minutes, once) ..."
	$(PIP) -e '.[all]'
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing Hybridge and its development tools (a few minutes, once) ..."
	$(PIP) -e '.[dev]'
	@touch $@ $(VENV)/.demo

$(VENV)/.docs: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing Hybridge and what builds its documentation (a minute, once) ..."
	$(PIP) -e '.[docs]'
	@touch $@

demo: $(VENV)/.demo ## Index the standard library's documentation and ask it sixteen questions
	$(BIN)/python examples/quickstart.py

docs: $(VENV)/.docs ## The documentation site, into site/; a warning is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo "Open site/index.html, or for its search: $(BIN)/python -m http.server --directory site"

test: $(VENV)/.dev ## The tests, on two cores (22 CPU minutes)
	$(BIN)/python -m pytest -n 2 --dist loadscope

test-long: $(VENV)/.dev ## The long property, fault, version and server runs that `test` leaves out
	$(BIN)/python -m pytest -m long -n 2 --dist loadscope --durations=12
	$(BIN)/python tests/versions.py
	$(BIN)/python tests/real_server.py

test-server: $(VENV)/.dev ## The suites on a real Milvus 2.3.5 from PyPI, or on HYBRIDGE_TEST_URI
	$(BIN)/python tests/real_server.py

fuzz: $(VENV)/.dev ## Odd values everywhere, many more than `test` tries (HYBRIDGE_FUZZ=5000)
	HYBRIDGE_FUZZ=$${HYBRIDGE_FUZZ:-5000} $(BIN)/python -m pytest -n 2 tests/core/test_fuzz_*.py \
		tests/langchain/test_langchain_fuzz.py tests/llama_index/test_llama_fuzz.py tests/faults/test_tampered_files.py

check: $(VENV)/.dev ## Formatting, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy examples

format: $(VENV)/.dev ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev ## The speed and memory bars
	@for bench in tests/bench/trip.py tests/bench/bench_*.py; do echo "== $$bench"; $(BIN)/python $$bench || exit 1; done

.venv-peers/.made: tests/bench/peers/requirements.txt
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --disable-pip-version-check --quiet -r $<
	@touch $@

bench-peers: $(VENV)/.dev .venv-peers/.made ## Beside Chroma, LanceDB, FAISS and bm25s (ROWS=10000)
	$(BIN)/python tests/bench/peers/compare.py --rows $(ROWS)

clean: ## Remove what the targets made
	rm -rf $(VENV) .venv-* dist build site .pytest_cache .mypy_cache .ruff_cache .hypothesis milvus.db
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
