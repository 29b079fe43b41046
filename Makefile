# Each target installs what it needs into .venv first; a stamp file there remembers that it is done.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt

# What the first of the two processes of `make test` runs; the second runs all else, in about the same time.
PARTS := tests/unit tests/property tests/parity tests/architecture

SHELL := bash
.SHELLFLAGS := -o pipefail -c

.PHONY: demo test test-parts test-programs test-oldest test-gpu readers test-readers test-studio studio fuzz lint bench

demo: $(VENV)/package.stamp
	$(BIN)/masklet segment --prompts assets/prompts.json -o demo_output
	$(BIN)/masklet segment assets/cars.jpg --everything -o demo_output/everything
	$(BIN)/masklet track assets/juggle.mp4 --box 229,105,262,137@0:1 --box 251,168,283,201@20:1 \
		--box 228,18,312,252@0:2 --point 240,38,0@0:2 \
		--write overlay --write contact-sheet -o demo_output

# Two processes at once, for machines of two cores or more; each line is marked with its process. The reasons of tests
# that were not run are listed at the end of each.
test: $(VENV)/development.stamp
	+$(MAKE) --no-print-directory --jobs=2 --keep-going test-parts test-programs

test-parts: $(VENV)/development.stamp
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -rs $(PARTS) | sed -u 's/^/parts    | /'

test-programs: $(VENV)/development.stamp
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -rs $(addprefix --ignore=,$(PARTS)) | sed -u 's/^/programs | /'

# The page of the studio, built into the package. Needs Node; the built files are committed for those who have none.
studio: studio/node_modules/stamp
	cd studio && npm run build

test-studio: $(VENV)/development.stamp studio/node_modules/stamp
	$(BIN)/python -m pytest -rs tests/studio

studio/node_modules/stamp: studio/package-lock.json
	cd studio && npm ci --no-audit --no-fund
	touch $@

# The oldest versions of the libraries that pyproject.toml allows. transformers and sam2 need newer ones.
test-oldest: $(VENV)-oldest/stamp
	$(VENV)-oldest/bin/python -m pytest -W ignore::DeprecationWarning tests/unit tests/property tests/architecture

test-gpu: $(VENV)/development.stamp
	$(BIN)/python -m pytest -m gpu

# The environments of programs of others (.venv-readers-*), which `make test-readers` makes, too, if they are missing.
readers: $(VENV)/development.stamp
	$(BIN)/python -m tests.readers.environments

# What masklet writes, read by programs of others, in environments of their own (.venv-readers-*); what pip does not
# get is skipped, with the reason.
test-readers: $(VENV)/development.stamp
	$(BIN)/python -m pytest -m readers -rs --durations=0 tests/readers

# Hostile inputs for every entry; some of them are in `make test`. SEED=1 makes others.
fuzz: $(VENV)/development.stamp
	$(BIN)/python -m tests.fuzz --inputs $(or $(INPUTS),3000) --seed $(or $(SEED),0)

lint: $(VENV)/development.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/development.stamp
	$(BIN)/python -m benchmarks.images
	$(BIN)/python -m benchmarks.video
	$(BIN)/python -m benchmarks.video_memory
	$(BIN)/python -m benchmarks.video_rate
	$(BIN)/python -m benchmarks.tables --write

$(VENV)/package.stamp: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) -e .
	touch $@

# Meta's sam2 asks for a torchvision that it does not need here, and its build would download a torch of its own.
$(VENV)/development.stamp: $(VENV)/package.stamp
	$(INSTALL) setuptools wheel -e '.[test,lint,reference,rendering,export,openvino,parquet,ray]'
	SAM2_BUILD_CUDA=0 $(INSTALL) --no-deps --no-build-isolation sam2==1.1.0
	touch $@

$(VENV)-oldest/stamp: pyproject.toml constraints-oldest.txt
	$(PYTHON) -m venv $(VENV)-oldest
	$(VENV)-oldest/bin/python -m pip install --disable-pip-version-check -c constraints-oldest.txt -e '.[test]'
	touch $@
