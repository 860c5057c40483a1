# Every target sets up .venv first if it has to. `make help` lists them.
PYTHON ?= 3.11
VENV := .venv
BIN := $(VENV)/bin
WORK ?= runs
export UV_LINK_MODE ?= copy

option = $(if $($(1)),--$(2) '$($(1))')
changes = $(foreach change,$(SET),--set '$(change)')
labels = $(foreach labels,$(LABELS),--labels '$(labels)')

.DEFAULT_GOAL := help
.PHONY: help setup demo label detect-parts find-views train-reid retrieve tables tables-fast ablation test test-slow milvus-lite lint format constraints clean

help: ## Explain every target
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/ready ## Build .venv with the full stack, at the versions in constraints.txt

$(VENV)/ready: constraints.txt pyproject.toml
	@command -v uv >/dev/null || { python3 -m venv .uv && .uv/bin/python -m pip install --quiet uv; }
	@set -e; PATH="$$PATH:$(CURDIR)/.uv/bin"; \
	  test -x $(BIN)/python || uv venv --quiet --python '>=$(PYTHON)' $(VENV); \
	  uv pip sync --quiet --python $(BIN)/python --require-hashes constraints.txt; \
	  uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

demo: $(VENV)/ready ## Run every job on the built-in fleet; ends by naming the report to open
	$(BIN)/partreid demo

label: $(VENV)/ready ## Open a page to draw part boxes on DATA, helped by a detector; LABELS VOCABULARY=prn DETECTOR START PORT=8090 BY=name
	@test -n '$(DATA)' || { echo 'say which images to label: make label DATA=my-data'; exit 2; }
	$(BIN)/partreid label '$(DATA)' --work '$(WORK)' $(call option,LABELS,labels) $(call option,VOCABULARY,vocabulary) $(call option,DETECTOR,detector) $(call option,START,start) $(call option,PORT,port) $(call option,BY,as) $(changes)

detect-parts: $(VENV)/ready ## Train a part detector on LABELS, one set or several (or take DETECTOR), find the parts of DATA; SET='epochs=50 hold_out=80'
	$(BIN)/partreid detect-parts --work '$(WORK)' $(call option,DATA,data) $(labels) $(call option,DETECTOR,detector) $(changes) $(if $(REDO),--redo)

find-views: $(VENV)/ready ## Learn masks of vehicles' views from the viewpoints of DATA (or take NETWORK), and find them; SET='size=128 steps=2000 foreground.steps=500'
	$(BIN)/partreid find-views --work '$(WORK)' $(call option,DATA,data) $(call option,NETWORK,network) $(changes) $(if $(REDO),--redo)

train-reid: $(VENV)/ready ## Train RECIPE on DATA with its cached parts, and evaluate it
	$(BIN)/partreid train-reid --work '$(WORK)' $(call option,DATA,data) $(call option,RECIPE,recipe) $(changes)

retrieve: $(VENV)/ready ## Search GALLERY for every image of QUERIES, with the network trained on DATA
	$(BIN)/partreid retrieve --work '$(WORK)' $(call option,DATA,data) $(call option,QUERIES,queries) $(call option,GALLERY,gallery) $(call option,RECIPE,recipe)

tables: $(VENV)/ready ## Print the tables of METHOD=prn, eianet, span, mfgnet or val (all without it) beside the paper's, trained on DATA or fleets; BOXES RECIPE ROWS SIZES LEVELS SEEDS=3
	$(BIN)/partreid tables '$(or $(METHOD),all)' $(if $(DATA),'$(DATA)') --work '$(WORK)' $(call option,BOXES,boxes) $(call option,RECIPE,recipe) $(call option,ROWS,rows) $(call option,SIZES,sizes) $(call option,LEVELS,levels) $(call option,SEEDS,seeds) $(foreach change,$(VIEWS),--views '$(change)') $(changes)

tables-fast: $(VENV)/ready ## A smoke run of every table of every paper, or of METHOD's, within minutes; its figures mean nothing
	$(BIN)/partreid tables '$(or $(METHOD),all)' --fast --work '$(WORK)' $(changes)

ablation: $(VENV)/ready ## Train PRN with each branch removed, print its Table 4 beside the paper's; DATA BOXES RECIPE ROWS SEEDS=3
	$(BIN)/partreid ablation $(if $(DATA),'$(DATA)') --work '$(WORK)' $(call option,BOXES,boxes) $(call option,RECIPE,recipe) $(call option,ROWS,rows) $(call option,SEEDS,seeds) $(changes)

test: $(VENV)/ready ## Run the tests (under ten minutes on two cores)
	$(BIN)/python -m pytest -n auto --dist loadfile

test-slow: $(VENV)/ready ## Run the tests that train longer
	$(BIN)/python -m pytest -m slow

milvus-lite: ## Set up .milvus with the Milvus server that tests search; it has packages that .venv must not
	@command -v uv >/dev/null || test -x .uv/bin/uv || { python3 -m venv .uv && .uv/bin/python -m pip install --quiet uv; }
	@set -e; PATH="$$PATH:$(CURDIR)/.uv/bin"; \
	  test -x .milvus/bin/python || uv venv --quiet --python '>=$(PYTHON)' .milvus; \
	  uv pip install --quiet --python .milvus/bin/python 'milvus-lite>=3.2' 'pymilvus>=2.6'

lint: $(VENV)/ready ## Check style, types and the direction of imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/ready ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

constraints: ## Resolve the newest versions into constraints.txt, with hashes
	uv pip compile --quiet --universal --python-version $(PYTHON) --group dev --generate-hashes \
	  --no-emit-index-url --no-annotate --no-header --upgrade pyproject.toml --output-file constraints.txt

clean: ## Remove the tools' caches, but no .venv and nothing that was trained
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
