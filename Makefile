# The jobs of this clone. Each creates what it needs first: the virtualenv .venv and, where it runs Pulumi, the engine.
#
#   PYTHON=…   the Python for .venv (default: the first of python3.14 … python3.11, python3, python)
#   ARGS=…     more arguments for `make check`, `make test`, `make terraform`, `make measures`, `make demo` and `make bench`
#   SDK=…      for `make test-sdk`: versions of pulumi, or lowest or newest (default: both)
#   PYTHONS=…  for `make test-sdk`: paths of Pythons, or versions that are on PATH (default: the one of .venv)

VENV  := .venv
PY    := $(VENV)/bin/python
MADE  := $(VENV)/.made
# One more than the cores, three at least: a sixth of the time, a test waits for a process or a socket.
WORKERS := $(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); [ "$$n" -gt 1 ] && echo $$((n + 1)) || echo 3)
ARGS  ?=
LAYERS := $(addprefix tests/,model files rules api directory provider server component component_package operations cli)

# With it, each process that these jobs start would compile the package for itself.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup engine languages demo check test test-sdk coverage terraform lint bench reliability measures audit sbom package docs pictures reference lock clean

help: ## list these jobs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s  %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(MADE) ## create .venv with the locked requirements and this package
	@$(PY) -c 'import platform; print("$(VENV) has Python", platform.python_version() + "; make clean removes it")'

# The stamp is written last, so that an interrupted setup runs again.
$(MADE): requirements.lock pyproject.toml
	@PYTHON='$(PYTHON)' sh scripts/setup-venv $(VENV)

engine: $(MADE) ## find the Pulumi engine, or download or build it into your cache folder
	@$(PY) -m tools.engine > /dev/null

demo: engine ## run the demo: no account, no input
	$(PY) -m demo $(ARGS)

check: $(MADE) lint ## lint, and test the layers without the engine: for every change that you make
	$(PY) -m pytest -n $(WORKERS) --dist worksteal -m "not engine and not package and not slow" $(LAYERS) \
		tests/docs/test_walks.py tests/docs/test_contract.py $(ARGS)

languages: engine ## find, build or install what tests of YAML, of TypeScript and of pages need, where Go and npm are
	@$(PY) -m tools.engine.languages || true

test: engine languages ## run all tests, on every core
	$(PY) -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

test-sdk: engine ## run the tests that depend on the SDK with its lowest and newest version, and other Pythons
	$(PY) -m scripts.other_sdk $(if $(SDK),--sdk $(SDK)) $(if $(PYTHONS),--python $(PYTHONS)) \
		-- -n $(WORKERS) --dist worksteal $(ARGS)

coverage: engine ## run all tests, and list the branches that no test takes
	$(PY) -m pytest -n $(WORKERS) --dist worksteal --cov=mixpanel_access --cov-branch --cov-report=term $(ARGS)

terraform: $(MADE) ## run Mixpanel's own Terraform provider against the emulator; needs terraform
	MIXPANEL_TERRAFORM_PROVIDER="$${MIXPANEL_TERRAFORM_PROVIDER:-init}" $(PY) -m pytest -n $(WORKERS) tests/terraform $(ARGS)

lint: $(MADE) ## check style, types and the imports between the layers
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy
	$(VENV)/bin/lint-imports

measures: $(MADE) ## print the measures of the code: sizes, long functions, imports, and the frames of one write
	@$(PY) -m scripts.measures $(ARGS)

bench: engine ## run the benchmarks
	$(PY) -m bench $(ARGS)

reliability: engine ## count the faults, random lives, odd inputs and kills that a run survives; takes minutes
	$(PY) -m bench.reliability $(ARGS)

audit: $(MADE) ## look up known vulnerabilities of the locked packages; exit code 3 if the lookup fails
	@$(PY) scripts/supply_chain.py audit $(ARGS)

sbom: $(MADE) ## write the locked packages to build/sbom.json, a bill of materials (CycloneDX)
	@$(PY) scripts/supply_chain.py sbom $(ARGS)

package: $(MADE) ## build the sdist and the wheel into dist/
	@$(PY) -m hatchling build

docs: $(MADE) ## build the docs as a site in build/site; a broken link is an error
	@$(PY) scripts/build_site.py build
	@echo build/site/index.html

pictures: engine ## draw the pictures of the docs again, by following the tutorial
	@$(PY) -m scripts.make_pictures

reference: engine ## write docs/commands.md, json.md, rules.md, dialects.md, mistakes.md, the tables of docs/resources.md and the schemas again
	@$(PY) -m typer mixpanel_access.cli.app utils docs --name mixpanel-access --output docs/commands.md > /dev/null
	@$(PY) -m scripts.json_page
	@$(PY) -m scripts.resource_tables
	@$(PY) -m mixpanel_access policy reference > docs/rules.md
	@$(PY) -m tests.dialects.page > docs/dialects.md
	@MIXPANEL_ACCESS_WRITE_MISTAKES=1 $(PY) -m pytest -q tests/mistakes > /dev/null
	@$(PY) -m mixpanel_access schema > docs/roster.schema.json
	@$(PY) -m mixpanel_access schema --common > docs/common.schema.json

lock: $(MADE) ## compile requirements.lock and policies/requirements.txt from pyproject.toml
	$(PY) -m uv pip compile pyproject.toml --all-extras --universal --fork-strategy fewest --python-version 3.11 \
		--generate-hashes --no-emit-package mixpanel-access --no-header -q -o requirements.lock
	$(PY) -m uv pip compile pyproject.toml --universal --fork-strategy fewest --python-version 3.11 --generate-hashes \
		--no-emit-package mixpanel-access --no-header --no-annotate -q -c requirements.lock -o policies/requirements.txt

CLEANED := $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis htmlcov build dist

clean: ## remove what these jobs made in this clone; the engine in your cache folder stays
	@echo "removing $(CLEANED), .coverage* and every __pycache__"
	@rm -rf $(CLEANED) .coverage .coverage.*
	@find . -name .git -prune -o -type d -name __pycache__ -prune -exec rm -rf {} +
