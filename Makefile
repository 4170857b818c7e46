# make demo   the whole pipeline on the embedded default; ends by naming the report
# make test   lint, types, tests
PYTHON ?= python3
BIN := .venv/bin
CORES ?= all

.PHONY: demo test run lint lock install

demo: run
	@echo "The report: $(CURDIR)/results/report.html"

# Two invocations: what the first finds unchanged, the second does not run again (config/README.md, "When data grow").
run: install
	$(BIN)/snakemake --cores $(CORES) subsets
	$(BIN)/snakemake --cores $(CORES)

test: lint
	OMP_NUM_THREADS=1 $(BIN)/pytest

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint
	$(BIN)/mypy

install: .venv/installed

# torch first: where pip has a CPU build of this very version, nothing later asks for another
.venv/installed: requirements.lock
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check torch==$(shell sed -n 's/^torch==//p' requirements.lock)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.lock
	touch $@

# after a change of the dependencies in pyproject.toml: resolve anew, write the lock and the conda environments
lock:
	rm -rf .venv
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet torch==2.13.0
	$(BIN)/python envs/lock.py install
	$(BIN)/python envs/lock.py write
	touch .venv/installed
