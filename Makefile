# Two commands matter: `make serve` and `make test`. Both set the environment up first; a second call finds it ready.
SHELL := /bin/bash
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV := .venv
PY := $(VENV)/bin/python
# Any Python of at least 3.11 makes the environment; PYTHON=... chooses another one.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)
# Further extras, as EXTRAS=ogclews or EXTRAS=ogclews,postgres: their versions are those of requirements/dev.txt.
EXTRAS ?=
# uv installs ten times as fast as pip; without it pip does the same.
UV := $(shell command -v uv 2>/dev/null)
INSTALL := $(if $(UV),$(UV) pip install --python $(PY),$(PY) -m pip --disable-pip-version-check install)
RUNTIME := $(VENV)/.runtime-ready$(if $(EXTRAS),-$(EXTRAS))
DEV := $(VENV)/.dev-ready

export HOST ?= 127.0.0.1
export PORT ?= 5000

.PHONY: help setup setup-dev serve doctor test test-all test-long test-container test-busy mutants lint lint-types lint-sources audit docs format fmu data-center fuel-cycle data surrogates baseline validate-plant validate-api chaos fuzz sbom bench wheel lock clean distclean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: $(RUNTIME) ## make the environment that runs all three ways (.venv from requirements/runtime.txt)
	@echo "Trivium is installed: call it as $(VENV)/bin/trivium, or type first: source $(VENV)/bin/activate"

setup-dev: $(DEV) ## add what tests and builds need (requirements/dev.txt)

$(PY):
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer found. Install one, or name it: make PYTHON=/path/to/python3.11 serve"; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version) ..."
	@$(if $(UV),$(UV) venv --quiet --seed --python "$$(command -v $(PYTHON))" $(VENV),$(PYTHON) -m venv $(VENV))

$(RUNTIME): requirements/runtime.txt pyproject.toml | $(PY)
	$(INSTALL) -r requirements/runtime.txt
	$(INSTALL) --editable . $(if $(EXTRAS),--constraint requirements/dev.txt '.[$(EXTRAS)]',--no-deps)
	@touch $@

$(DEV): requirements/dev.txt pyproject.toml | $(PY)
	$(INSTALL) -r requirements/dev.txt
	$(INSTALL) --no-deps --editable .
	@touch $@

serve: setup ## start the server on HOST:PORT (127.0.0.1:5000)
	@exec $(VENV)/bin/trivium serve

doctor: setup ## check the installation by really running every way
	@$(VENV)/bin/trivium doctor

# A file goes to a worker as a whole, in the order of testpaths: files with few long tests first, so that none is left over
# at the end. xdist's own order, files with many tests first, does the opposite.
# Two workers more than there are cores: tests wait for processes that they start.
PYTEST := -m pytest --numprocesses $(shell expr $$(nproc) + 2) --maxprocesses 6 --dist loadfile --no-loadscope-reorder

test: setup-dev ## lint, types, layers and the tests, without the slow ones
	$(MAKE) --no-print-directory lint
	$(PY) $(PYTEST) $(ARGS)

test-all: setup-dev ## lint, types, layers and the tests with the slow ones; CI runs it
	$(MAKE) --no-print-directory lint
	$(PY) $(PYTEST) -m "not long" --hypothesis-profile thorough $(ARGS)

test-long: setup-dev ## the tests that take minutes each: coupled runs of real models, FMUs built for every platform, an agent trained
	$(PY) -m pytest -m long --ignore tests/container $(ARGS)

test-container: setup-dev ## build the image slim, start docker-compose.yml in an engine of its own, kill and starve its services (root)
	$(PY) -m pytest -m long tests/container $(ARGS)

test-busy: setup-dev ## the tests beside eight busy processes: what fails here waits on a clock
	$(PY) -m tests.busy $(PY) $(PYTEST) $(ARGS)

mutants: setup-dev ## change ROOM at random, COUNT times, and print the changes that its unit tests do not notice
	$(PY) -m tests.mutants $(ROOM) --count $(or $(COUNT),25) --seed $(or $(SEED),1)

lint: $(DEV) ## ruff, mypy, the import contract and bandit
	@$(MAKE) --no-print-directory --jobs 2 --output-sync lint-types lint-sources

lint-types:
	$(VENV)/bin/mypy

lint-sources:
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports
	$(VENV)/bin/bandit -q -ll -r trivium

audit: $(DEV) ## ask for known weaknesses of what is installed (needs the internet)
	$(VENV)/bin/pip-audit --requirement requirements/runtime.txt --no-deps --disable-pip --progress-spinner off

docs: $(DEV) ## build the pages of docs/ as a site in build/site
	$(PY) docs/write_cli.py
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict

format: $(DEV) ## let ruff rewrite the sources
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

fmu: $(DEV) ## rebuild Resources/AlphaDataCenterCooling_FMU.fmu from workshop/cooling_plant
	$(PY) -m workshop.fmi.build workshop.cooling_plant.plant:model Resources/AlphaDataCenterCooling_FMU.fmu
	$(PY) -m workshop.fmi.symbolic workshop.cooling_plant.plant:model trivium/plants/cooling/equations.json.gz

data-center: $(DEV) ## rebuild the test case data_center: the FMU from workshop/data_center, the data from the family
	$(PY) -m workshop.fmi.build workshop.data_center.plant:model trivium/plants/data_center/testcase/DataCenterCooling.fmu
	$(PY) -m workshop.fmi.symbolic workshop.data_center.plant:model trivium/plants/data_center/equations.json.gz
	$(VENV)/bin/trivium family make 5A-5MW-mixed trivium/plants/data_center/testcase

fuel-cycle: $(DEV) ## rebuild examples/fuel_cycle/FuelCycle.fmu from workshop/fuel_cycle
	$(PY) -m workshop.fmi.build workshop.fuel_cycle.cycle:model examples/fuel_cycle/FuelCycle.fmu

data: $(DEV) ## rewrite Resources/Disturbance.csv from the weather year and the load model
	$(PY) -m workshop.boundary

surrogates: $(DEV) ## train Resources/mlp.pth and chiller_power.pth anew (after make fmu)
	$(PY) -m workshop.surrogates

baseline: $(DEV) ## run the baseline year anew: Resources/Initialization_*, the records in testing/
	$(PY) -m workshop.baseline
	$(PY) testing/record.py

validate-plant: $(DEV) ## replay the recorded trajectories and print the errors per output group
	$(PY) -m workshop.cooling_plant.validate $(ARGS)

validate-api: $(DEV) ## replay the recorded run against the server at TRIVIUM_URL and print the errors
	$(PY) testing/validate_rest_api.py $(ARGS)

chaos: $(DEV) ## kill and freeze processes of a server under load, fill its disk, flip bits; nothing acknowledged may be lost, doubled or wrong
	$(PY) -m tests.chaos $(ARGS)

fuzz: $(DEV) ## feed damaged and invented bytes to the readers of FMUs, frames and journals, SECONDS each
	$(INSTALL) --quiet -r requirements/tools.txt
	$(PY) -m tests.fuzzing --seconds $(or $(SECONDS),60)

sbom: $(DEV) ## list what make serve installs as CycloneDX: build/sbom.json
	$(INSTALL) --quiet -r requirements/tools.txt
	mkdir -p build
	$(VENV)/bin/cyclonedx-py requirements requirements/runtime.txt --pyproject pyproject.toml --mc-type application --output-reproducible --output-format JSON --output-file build/sbom.json

bench: $(DEV) ## print the figures of docs/benchmarks.md
	$(PY) -m benchmarks $(ARGS)

wheel: $(DEV) ## build wheel and sdist in dist/
	$(PY) -m build

lock: ## write requirements/*.txt anew from pyproject.toml (needs uv)
	requirements/lock.sh

clean: ## remove caches, builds and the server's state
	rm -rf build dist .trivium-state .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +

distclean: clean ## remove the environment too
	rm -rf $(VENV) *.egg-info
