# Needs Python 3.11 or newer with venv, and make. `make` alone lists the targets.
# Every path is relative, so that the folder's own path may hold blanks.

PYTHON ?= python3
ENV := .venv
PY := $(ENV)/bin/python
READY := $(ENV)/ready
BROWSER := tests/browser/build/ready
GOAL := $(or $(firstword $(MAKECMDGOALS)),run)

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
export PIP_ROOT_USER_ACTION := ignore
unexport PYTHONPATH PYTHONHOME

# An environment is of one Python and one folder: its scripts and the link to the sources name the folder.
# A PYTHON that nobody asked for does not count: after `make run PYTHON=python3.12`, `make test` goes on with that.
MADE_WITH := $(shell cat $(ENV)/made-with 2>/dev/null)
MADE_IN := $(shell cat $(ENV)/made-in 2>/dev/null)
ifneq ($(MADE_IN),$(CURDIR))
REMAKE := yes
else ifneq ($(origin PYTHON),file)
ifneq ($(MADE_WITH),$(PYTHON))
REMAKE := yes
endif
endif

.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help run test coverage mutants check-long browser notebooks answers oracles truth validation bench bench-long lock clean remake python

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/make \1 \2/p' Makefile | awk '{ w = $$2; $$1 = $$2 = ""; printf "make %-11s%s\n", w, $$0 }'
	@echo "PYTHON=python3.12 behind it chooses the Python."

run: $(READY)  ## install into .venv, run the scenario of the document
	@$(ENV)/bin/shimulator run scenarios/document.yaml
	@echo
	@echo "next: . $(ENV)/bin/activate; shimulator init"

test: $(READY)  ## ruff, mypy, pytest; the ten slowest tests at the end
	$(PY) -m ruff check --output-format concise .
	$(PY) -m ruff format --check --quiet . || { echo "Not formatted: $(PY) -m ruff format ." >&2; exit 1; }
	$(PY) -m mypy  # strict over sim, not over tests: pyproject.toml
	$(PY) -m pytest -n logical --dist loadfile --slowest 10

coverage: $(READY)  ## what of the model the quick tests never exercise
	SHIMULATOR_COVERAGE=yes $(PY) -m pytest -q

mutants: $(READY)  ## plant faults, see that tests notice each, some minutes
	$(PY) -m tests.mutants --jobs 2

check-long: $(READY)  ## the tests that take minutes
	@$(MAKE) --no-print-directory browser || echo "Tests in a browser say why they cannot be run." >&2
	@status=0; $(PY) -m pytest --collect-only -qq -m long >/dev/null 2>&1 || status=$$?; \
	if [ $$status -eq 5 ]; then echo "There are no long tests yet."; \
	else echo "$(PY) -m pytest -n logical --dist loadfile -m long"; $(PY) -m pytest -n logical --dist loadfile -m long; fi

browser: $(BROWSER)  ## unpack a headless Chromium for the tests of the report (npm)

$(BROWSER): tests/browser/package-lock.json tests/browser/unpack.mjs
	@command -v npm >/dev/null || { echo "There is no npm here, which brings the browser (Node 20 or newer)." >&2; exit 1; }
	cd tests/browser && npm ci --no-audit --no-fund --ignore-scripts && node unpack.mjs

notebooks: $(READY)  ## run notebooks/*.py, write the .ipynb with what they show
	$(PY) -m tests.notebooks

answers: $(READY)  ## run what docs/answers.md answers, write it anew, some minutes
	$(PY) -m tests.answers

oracles: $(READY)  ## what the engine is known to do, beside what a run gives
	$(PY) -m tests.oracles

truth: $(READY)  ## the model beside what real engines did; ACCEPT=yes lists what has become right
	$(PY) -m tests.truth $(if $(ACCEPT),--accept)

validation: $(READY)  ## write docs/validation.md: the model beside what was measured
	$(PY) -m tests.validation

bench: $(READY)  ## measure speed, some minutes
	$(PY) benchmarks/bench.py

bench-long: $(READY)  ## measure speed, the large cases too
	$(PY) benchmarks/bench.py --long

# Keeps the versions that still fit; `make lock UPGRADE=--upgrade` takes the newest. One version for all Pythons, so that
# results do not depend on which one runs. A local tool's settings must not enter the file: no index, no folder of files.
lock: python  ## write requirements.lock anew from pyproject.toml
	@rm -rf $(ENV)-lock
	@"$(PYTHON)" -m venv $(ENV)-lock
	@$(ENV)-lock/bin/python -m pip install -q uv
	@$(ENV)-lock/bin/python -m uv pip compile pyproject.toml --extra dev --output-file requirements.lock $(UPGRADE) \
	    --universal --python-version 3.11 --fork-strategy fewest --generate-hashes --strip-extras --no-config --quiet \
	    --no-emit-index-url --no-emit-find-links --no-emit-build-options --custom-compile-command "make lock"
	@rm -rf $(ENV)-lock
	@echo "requirements.lock: $$(grep -c == requirements.lock) packages"

clean:  ## remove .venv, builds and caches; runs/ stays
	rm -rf $(ENV) $(ENV)-lock build dist *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache
	rm -rf tests/browser/build tests/browser/node_modules
	find sim tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

ifdef REMAKE
$(READY): remake
remake: python
	@rm -rf $(ENV)
endif

# A change of the lock or of pyproject.toml installs over what is there; only another Python or folder starts anew.
$(READY): requirements.lock pyproject.toml
	@[ -w . ] || { echo "This folder cannot be written to: $(CURDIR). Copy it to one of your own, then: make $(GOAL)" >&2; exit 1; }
	@if ! $(PY) -c "" 2>/dev/null; then \
	    $(MAKE) --no-print-directory python && rm -rf $(ENV) && "$(PYTHON)" -m venv $(ENV); fi
	@echo "Installing into $(ENV) (the first time takes a minute) ..."
	@$(PY) -m pip install -q --require-hashes -r requirements.lock
	@$(PY) -m pip install -q --no-deps --no-build-isolation -e .
	@printf '%s\n' "$(PYTHON)" > $(ENV)/made-with
	@printf '%s\n' "$(CURDIR)" > $(ENV)/made-in
	@touch $(READY)

# Written for Python 2 as well: that may be what answers.
python:
	@command -v "$(PYTHON)" >/dev/null || { \
	    echo "There is no $(PYTHON) here; shimulator needs Python 3.11 or newer. Try: make $(GOAL) PYTHON=python3.12" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; v = sys.version.split()[0]; sys.version_info >= (3, 11) or sys.exit("This is Python " + v + "; shimulator needs 3.11 or newer. Try: make $(GOAL) PYTHON=python3.12")'
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
	    echo "$$("$(PYTHON)" --version) comes without venv or ensurepip, which shimulator is installed with." \
	    "On Debian or Ubuntu: apt install python3-venv. Or another Python: make $(GOAL) PYTHON=python3.12" >&2; exit 1; }
