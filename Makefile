# make film   set everything up and make the sample film from its captures to a finished cut
# make test   set everything up and pass the tests
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
FILM ?= cameras/morning/film.toml
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

KERNELS := CMakeLists.txt $(wildcard splatfilm/render/csrc/*)

.PHONY: film test test-slow bench accept lint clean help

film: $(VENV)/.film
	$(BIN)/splatfilm make $(FILM)

test: $(VENV)/.test
	$(BIN)/python -m pytest

test-slow: $(VENV)/.test
	$(BIN)/python -m pytest -m slow

bench: $(VENV)/.film
	$(BIN)/python -m benchmarks

accept: $(VENV)/.test
	$(BIN)/python -m tests.acceptance

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf $(VENV) build out

help:
	@sed -n 's/^# //p' Makefile | head -2

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Splatfilm needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make film PYTHON=python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.film: pyproject.toml constraints.txt $(KERNELS) | $(VENV)/.python
	$(BIN)/python -m pip install --quiet -e .
	@touch $@

$(VENV)/.test: $(VENV)/.film
	$(BIN)/python -m pip install --quiet -e '.[dev]'
	@touch $@
