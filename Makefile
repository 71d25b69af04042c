# Each target needs Python 3.11 or newer, git and make; uv is fetched into .uv/ where it is missing.
# On Windows, run make in Git Bash.

UV_VERSION := 0.13.9

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# Set, it would let each of the many processes compile every module again.
unexport PYTHONDONTWRITEBYTECODE

# Windows has a python3 that only opens a shop: take one that runs.
PYTHON ?= $(shell for p in python3 python; do \
	if "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	echo "$$p"; break; fi; done)
VENV_BIN := $(if $(filter Windows_NT,$(OS)),Scripts,bin)
LOCAL_UV := .uv/$(VENV_BIN)/uv
UV := $(shell command -v uv || echo "$(CURDIR)/$(LOCAL_UV)")
RUN := "$(UV)" run --quiet
# Three on two cores, as the long tests often wait; they come first, not last on a worker alone.
WORKERS := --numprocesses 3 --dist loadfile --no-loadscope-reorder
# The machinery has an environment of its own; its folder is not this repository's workspace.
MACHINERY := $(RUN) --directory template/packages/mlops --all-extras
# Folders of its tests that train nothing and start nothing.
QUICK := aml artifacts ci contracts settings usecase
DEMO := $(RUN) --no-project --python '>=3.11' python tools/demo.py

.PHONY: help uv install demo newest release test test-fast test-all machinery lint lint-here lint-machinery format docs render questions files cookiecutter picture reserved requirements pipeline queries azure azurite bases images bench clean

help: ## what each target does
	@grep -hE '^[a-z-]+:.* ## ' $(MAKEFILE_LIST) | sed -E 's/:.* ## /\t/' | expand -t 12

uv:
	@command -v "$(UV)" >/dev/null || { \
		if [ -z "$(PYTHON)" ]; then echo "Python 3.11 or newer is needed" >&2; exit 1; fi; \
		echo "Fetching uv $(UV_VERSION) into .uv/"; \
		"$(PYTHON)" -m venv .uv; \
		.uv/$(VENV_BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION); }

install: uv ## the environments of this repository and of the machinery
	@$(RUN) --group docs python --version
	@$(MACHINERY) python --version

demo: uv ## the default project in .build/demo, installed, and its whole loop run
	@$(DEMO)

render: uv ## the project of these files in .build/project: make render ANSWERS="-d example=blank"
	@$(DEMO) --render-only --target .build/project -- $(ANSWERS)

newest: uv ## the demo with the newest packages of today, and all tests of that project: minutes
	@$(DEMO) --newest --target .build/newest

release: uv ## the files of this repository made ready for a release: make release VERSION=0.2.0
	@$(RUN) --no-project --python '>=3.11' python -m tools.release --prepare "$(VERSION)"

test: lint docs machinery ## everything that CI checks: minutes
	@$(RUN) pytest $(WORKERS) -m "not slow" --durations 15

test-fast: uv ## what takes seconds: under a minute
	@$(MACHINERY) pytest --quiet --numprocesses 2 -m "not heavy and not slow" $(addprefix tests/,$(QUICK))
	@$(RUN) pytest --quiet --numprocesses 2 -m "fast and not slow"

test-all: lint docs ## everything, the long proofs too, with the machinery's coverage
	@$(MACHINERY) pytest --numprocesses 3 --cov --cov-report term:skip-covered --cov-fail-under 90
	@$(RUN) pytest $(WORKERS) --durations 15

machinery: uv ## the machinery's own tests but for the slow ones, where it stands in template/packages/mlops
	@$(MACHINERY) pytest --numprocesses 3 --durations 5 -m "not slow"

lint: uv ## format, lint, types and security of all Python here
	@$(MAKE) --jobs 2 lint-here lint-machinery

lint-here:
	@$(RUN) ruff format --check
	@$(RUN) ruff check
	@$(RUN) mypy
	@$(MACHINERY) bandit --quiet --configfile pyproject.toml --recursive src

lint-machinery:
	@$(MACHINERY) ruff format --check
	@$(MACHINERY) ruff check
	@$(MACHINERY) mypy
	@$(MACHINERY) mypy $(addprefix $(CURDIR)/tests/,azure/contract machinery/drift machinery/endurance) $(addprefix $(CURDIR)/benchmarks/,serving.py telemetry.py rollback.py)

format: uv ## let ruff rewrite this repository's own Python
	@$(RUN) ruff check --fix-only --quiet
	@$(RUN) ruff format
	@$(MACHINERY) ruff check --fix-only --quiet
	@$(MACHINERY) ruff format

docs: uv ## the site, in site/
	@NO_MKDOCS_2_WARNING=1 $(RUN) --group docs mkdocs build --quiet --strict

questions: uv ## docs/reference/questions.md, from copier.yml
	@$(RUN) python -m tools.questions_page

picture: uv ## docs/images/loop.svg
	@$(RUN) --no-project --python '>=3.11' python -m tools.loop_picture

cookiecutter: uv ## cookiecutter.json, from copier.yml
	@$(RUN) python -m tools.cookiecutter_json

files: uv ## tests/expected/, the lists of a project's files, and packages/files.sha256 in template/
	@PYTHONPATH="$(CURDIR)/template/packages/mlops/src" $(RUN) python -m tools.machinery_files
	@$(RUN) python -m tools.expected_files

reserved: uv ## questions/reserved.jinja, from a generated project's environment
	@$(RUN) python -m tools.reserved_names

pipeline: uv ## what template/docs/pipeline.md says of which job runs when, by a model of GitHub
	@PYTHONPATH="$(CURDIR)/template/packages/mlops/src" $(RUN) python -m tests.workflows.graph.table

queries: uv ## template/observability/: KQL, a workbook and rules, from its queries.yaml and alerts.yaml
	@$(MACHINERY) python "$(CURDIR)/tools/observability_files.py"

azure: uv ## what infra/ asks of Azure, by Microsoft's Bicep CLI (on PATH or in BICEP), for tests and a page
	@$(RUN) python -m tools.azure_page

requirements: uv ## template/serving/requirements.txt, the newest versions that requirements.in allows
	@cd template && "$(UV)" pip compile --quiet --upgrade --universal --python-version 3.11 --no-annotate \
		serving/requirements.in --output-file serving/requirements.txt

azurite: uv ## Azurite in .build/, which the tests of the platform azure need
	@$(RUN) python -m tests.azure.emulator

bases: uv ## stand-ins for the images that the Dockerfiles start from: needs root, buildah, mmdebstrap
	@$(RUN) python -m tests.images.bases

images: bases ## both images built, looked into and used, and faulty ones noticed: half an hour
	@$(RUN) pytest tests/images --durations 15

bench: uv ## the measurements of benchmarks/
	@$(RUN) python -m benchmarks.startup
	@$(RUN) python -m benchmarks.validation
	@$(MACHINERY) python "$(CURDIR)/benchmarks/serving.py"
	@$(MACHINERY) python "$(CURDIR)/benchmarks/telemetry.py"
	@PYTHONPATH=tests $(MACHINERY) python "$(CURDIR)/benchmarks/rollback.py"
	@$(RUN) python -m benchmarks.scoring
	@$(RUN) python -m benchmarks.drift
	@$(RUN) python -m benchmarks.monitor

clean: ## what the other targets made, uv included
	@rm -rf .build .uv .venv site
	@cd template/packages/mlops && rm -rf .mlops .venv .coverage uv.lock
