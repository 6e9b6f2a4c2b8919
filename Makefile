# Everything starts from a fresh machine with Python 3.11 or newer: `make demo`, `make test`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: env demo test test-units test-stories check schemas bench clean
env: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt torch
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[all,dev]'
	touch $(STAMP)

demo: env  ## the main job on the sample model and data
	$(BIN)/lighten optimize sample:minilm --data sample:reviews --keep "accuracy>=-1pt" \
	  --minimize p50 --time 10m --seed 7 --out runs/demo-$$(date +%Y%m%d-%H%M%S)

check: env  ## linters and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

test: check  ## linters, types, all tests: the stories beside everything else, one core each
	$(MAKE) --no-print-directory -j2 test-units test-stories

# What starts servers stands with the stories, and one story with the units, so that both halves take about as long.
WITH_UNITS   := tests/story/test_bad_input.py
WITH_STORIES := tests/serve tests/guards
SLOWEST    := --durations=30 --durations-min=5

test-units: env
	$(BIN)/python -m pytest $(SLOWEST) \
	  $(filter-out tests/story $(WITH_STORIES) %.py %__pycache__,$(wildcard tests/*)) $(WITH_UNITS)

test-stories: env
	$(BIN)/python -m pytest $(SLOWEST) -p no:cacheprovider $(WITH_STORIES) tests/story $(addprefix --ignore=,$(WITH_UNITS))

schemas: env  ## the JSON Schema of every --json, in docs/schema
	$(BIN)/python docs/schema/make.py

bench: env  ## what the README claims, side by side with what a user could pick instead
	$(BIN)/python benchmarks/false_holds.py
	$(BIN)/python benchmarks/encoder.py
	$(BIN)/python benchmarks/llm.py

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
