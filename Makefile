# The jobs of this clone. Each one makes what it needs first: the virtualenv .venv, and where it runs Pulumi, the engine.
#
#   PYTHON=…   the Python to make .venv with (default: the first of python3.14 … python3.11, python3, python)
#   ARGS=…     more arguments for `make test`, `make terraform`, `make measures`, `make demo` and `make bench`

VENV  := .venv
PY    := $(VENV)/bin/python
MADE  := $(VENV)/.made
CORES := $(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); [ "$$n" -gt 2 ] && echo "$$n" || echo 2)
ARGS  ?=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup engine demo test coverage terraform lint bench reliability measures audit sbom package docs pictures reference lock clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-11s  %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(MADE) ## make .venv and install the locked requirements and this package into it

# The stamp is written last, so that an interrupted set-up is done again.
$(MADE): requirements.lock pyproject.toml
	@PYTHON='$(PYTHON)' sh scripts/setup-venv $(VENV)

# Where PYTHONDONTWRITEBYTECODE is set, each process that the engine starts would else compile the package for itself.
engine: $(MADE) ## find the Pulumi engine, or download or build it into the user's cache
	@$(PY) -m compileall -q mixpanel_access
	@$(PY) -m tools.engine > /dev/null

demo: engine ## run the demo: no account, no input
	$(PY) -m demo $(ARGS)

test: engine ## run all tests, on every core
	$(PY) -m pytest -n $(CORES) --dist worksteal $(ARGS)

coverage: engine ## run all tests and show which branches none of them takes
	$(PY) -m pytest -n $(CORES) --dist worksteal --cov=mixpanel_access --cov-branch --cov-report=term $(ARGS)

terraform: $(MADE) ## run Mixpanel's own Terraform provider against the emulator; needs terraform
	MIXPANEL_TERRAFORM_PROVIDER="$${MIXPANEL_TERRAFORM_PROVIDER:-init}" $(PY) -m pytest -n $(CORES) tests/terraform $(ARGS)

lint: $(MADE) ## check style, types and the arrows between the layers
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy
	$(VENV)/bin/lint-imports

measures: $(MADE) ## print the measures of the code: sizes, long functions, imports, and the way of one write
	@$(PY) -m scripts.measures $(ARGS)

bench: engine ## run the benchmarks
	$(PY) -m bench $(ARGS)

reliability: engine ## count what faults, random lives, odd inputs and kills have been survived; some minutes
	$(PY) -m bench.reliability $(ARGS)

audit: $(MADE) ## ask whether a locked package has a known vulnerability; exit code 3 where it cannot be asked
	@$(PY) scripts/supply_chain.py audit $(ARGS)

sbom: $(MADE) ## write build/sbom.json, the locked packages as a bill of materials (CycloneDX)
	@$(PY) scripts/supply_chain.py sbom $(ARGS)

package: $(MADE) ## build the sdist and the wheel into dist/
	@$(PY) -m hatchling build

docs: $(MADE) ## build the docs as a site in build/site, and fail for a link that leads nowhere
	@$(PY) scripts/build_site.py build
	@echo build/site/index.html

pictures: engine ## make the pictures of the docs anew, by following the tutorial
	@$(PY) -m scripts.make_pictures

reference: $(MADE) ## make docs/commands.md, docs/rules.md, docs/dialects.md and the schemas in docs/ anew
	@$(PY) -m typer mixpanel_access.cli.app utils docs --name mixpanel-access --output docs/commands.md > /dev/null
	@$(PY) -m mixpanel_access policy reference > docs/rules.md
	@$(PY) -m tests.dialects.page > docs/dialects.md
	@$(PY) -m mixpanel_access schema > docs/roster.schema.json
	@$(PY) -m mixpanel_access schema --common > docs/common.schema.json

lock: $(MADE) ## compile requirements.lock and policies/requirements.txt anew from pyproject.toml
	$(PY) -m uv pip compile pyproject.toml --all-extras --universal --fork-strategy fewest --python-version 3.11 \
		--generate-hashes --no-emit-package mixpanel-access --no-header -q -o requirements.lock
	$(PY) -m uv pip compile pyproject.toml --universal --fork-strategy fewest --python-version 3.11 --generate-hashes \
		--no-emit-package mixpanel-access --no-header --no-annotate -q -c requirements.lock -o policies/requirements.txt

CLEANED := $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis htmlcov build dist

clean: ## remove what these targets have made in this clone; the engine in the user's cache stays
	@echo "removing $(CLEANED), .coverage* and every __pycache__"
	@rm -rf $(CLEANED) .coverage .coverage.*
	@find . -name .git -prune -o -type d -name __pycache__ -prune -exec rm -rf {} +
