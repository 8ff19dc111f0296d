# `make mnist` trains a network on MNIST, `make test` runs the whole suite. Both need only Python 3.11
# or newer, make and a package index; both install into .venv and do not change the system.

PYTHON ?= python3
DEVICE ?= cpu
WORKERS ?= 2
CALLS ?= 20000
# one worker for each of two cores: BLAS threads would only compete with them
TESTS = OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS)
BIN := .venv/bin
MADE = pyproject.toml

.PHONY: mnist test thorough lint docs generated oracles mpi checker matrix mutants bench dist clean

# one thread: these matrices are small, and on a busy machine BLAS threads wait for each other
mnist: .venv/made-examples
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m examples.mnist_mlp --device $(DEVICE)

test: .venv/made-test
	$(TESTS)

thorough: .venv/made-test
	KILLS=40 HYPOTHESIS_PROFILE=thorough VIEW_PROGRAMS=20000 COMPILED_PROGRAMS=5000 RANDOM_COMPILED=5000 $(TESTS)
	$(BIN)/python -m tests.accuracy.references --compare

lint: .venv/made-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# the site, in build/docs; every warning is an error, and every link within it leads somewhere
docs: .venv/made-docs
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m sphinx -n -W --keep-going -b html -d build/doctrees docs build/docs
	$(BIN)/python -m tools.links build/docs

# the files that are written from the code: Tensor's stub, the references and pages of docs/
generated: .venv/made-test
	$(BIN)/python -m tools.stub
	$(BIN)/python -m tools.coverage
	$(BIN)/python -m tests.accuracy.references
	$(BIN)/python -m tests.accuracy.page
	$(BIN)/python -m tests.compiling_page
	$(BIN)/python -m tests.support

oracles: .venv/made-test .venv/made-oracles
	$(TESTS) -m oracle

# programs on several ranks, one at a time: they have up to four processes
mpi: .venv/made-test .venv/made-mpi
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -m mpi

# correct calls, in none of which the checker may report an error
checker: .venv/made-test
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m tests.right_calls $(CALLS)

# the core of the suite on the oldest and the newest Python and NumPy that are installed; writes
# docs/support.md
matrix: .venv/bin/python
	$(BIN)/python -m tests.matrix $(WORKERS)

# modify each part of every rule, and check that a test fails
mutants: .venv/made-test
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m tests.mutation

bench: .venv/made-bench
	$(BIN)/python -m benchmarks.overhead
	$(BIN)/python -m benchmarks.transforms
	$(BIN)/python -m benchmarks.drawings
	$(BIN)/python -m benchmarks.mnist_mlp
	$(BIN)/python -m benchmarks.main_job
	$(BIN)/python -m benchmarks.compiled
	$(BIN)/python -m benchmarks.compiled_costs
	$(BIN)/python -m benchmarks.optimizers
	$(BIN)/python -m benchmarks.transformer
	$(BIN)/python -m benchmarks.convolution

# wheel and sdist in dist/, and what must hold for them; files have the time of the last commit, so
# that the same commit gives the same wheel
dist: export SOURCE_DATE_EPOCH = $(shell git log -1 --format=%ct)
dist: .venv/made-dist
	rm -rf dist
	$(BIN)/python -m build --outdir dist
	$(BIN)/python -m tools.check_dist dist

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		$(PYTHON) --version; echo "Python 3.11 or newer is needed, as in: make PYTHON=python3.12"; \
		exit 1; }
	$(PYTHON) -m venv .venv

.venv/made-%: .venv/bin/python $(MADE)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	touch $@

clean:
	rm -rf .venv .venv-matrix-* build docs/gallery docs/notebooks docs/reference dist runs .hypothesis .pytest_cache .mypy_cache .ruff_cache *.egg-info
