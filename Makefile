# make demo   the whole pipeline on the embedded default; ends by naming the report
# make check  lint, types and unit tests: minutes on two cores
# make test   lint, types and every test that this machine can run; what it lacks is skipped with the reason
# make test-long   property tests on ten times as many examples, and sweeps of which make test runs a sample
# make run CONFIG=config/my.yaml [PROFILE=slurm]   your own study, from the start or grown; on a cluster
# make archive [CONFIG=…] [ARCHIVE=study.zip]   a finished study as one file, to attach to a paper (docs/archive.md)
# make verify ARCHIVE=study.zip   its checksums, and its tables computed again, without models
PYTHON ?= python3
BIN := .venv/bin
CORES ?= all
MEMORY_MB ?= $(shell awk '/MemAvailable/ {print int($$2 / 1024)}' /proc/meminfo)
SNAKEMAKE = $(BIN)/snakemake $(if $(PROFILE),--profile $(PROFILE),--cores $(CORES) --resources mem_mb=$(MEMORY_MB) judges=1) $(if $(CONFIG),--configfile $(CONFIG))
ARCHIVE ?= results/study.zip
SEARCHED = $(wildcard results/searches/*.json)

$(foreach file,$(CONFIG),$(if $(wildcard $(file)),,$(error CONFIG: $(file): no such file)))

.PHONY: demo check test test-long run archive verify lint generate versions lock install

demo: run
	@echo "The report: $(CURDIR)/results/report.html"

# A study, new or grown. Inside one invocation Snakemake runs again whatever lies behind a job that ran; between two it
# compares contents. So the cheap jobs come first, and what they find unchanged is not trained again: subsets as far as
# nothing is trained for them; subsets; where a search has ended before: its subsets, itself and its best size; everything.
run: install
	PYTHONPATH=src $(BIN)/python -m instructmining.config.check $(or $(CONFIG),config/config.yaml)
	$(SNAKEMAKE) --quiet host rules --omit-from finetune finetune_kept finetune_mixtures -- subsets
	$(SNAKEMAKE) --quiet host -- subsets
	$(if $(SEARCHED),$(SNAKEMAKE) --quiet host rules --allowed-rules select_trial select_subset chosen -- chosen)
	$(if $(SEARCHED),$(SNAKEMAKE) --quiet host -- searches)
	$(SNAKEMAKE) --quiet host
	test -f results/report.html || { $(SNAKEMAKE) --report results/report.html && \
		PYTHONPATH=src $(BIN)/python -m instructmining.report.opening results/report.html; }

# WITH="texts weights": what is left out otherwise. ALLOW="…": texts that look private and are public
archive: install
	mkdir -p results/.work
	$(SNAKEMAKE) --quiet host --summary > results/.work/summary.tsv
	PYTHONPATH=src $(BIN)/python -m instructmining.trail.archive --config $(or $(CONFIG),config/config.yaml) \
		--summary results/.work/summary.tsv --archive "$(ARCHIVE)" $(if $(WITH),--with $(WITH)) $(if $(ALLOW),--allow="$$ALLOW")
	PYTHONPATH=src $(BIN)/python -m instructmining.trail.verify --archive "$(ARCHIVE)"

verify: install
	PYTHONPATH=src $(BIN)/python -m instructmining.trail.verify --archive "$(ARCHIVE)"

PYTEST = OMP_NUM_THREADS=1 $(BIN)/pytest -n logical --maxprocesses 8 --no-loadscope-reorder

check: lint
	$(PYTEST) -m "not long and not workflow and not slurm" --ignore tests/demo --ignore tests/zero

test: lint
	$(PYTEST)

# property tests on ten times as many examples, and sweeps (marked `long`) of which the other tests hold a sample
test-long: install
	LONG=1 $(PYTEST) -m "not workflow and not slurm" --ignore tests/demo --ignore tests/zero

lint: install
	PYTHONPATH=src $(BIN)/python workflow/generate.py --check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint
	$(BIN)/mypy

# what follows from the settings: the schema for editors, the manual's tables
generate: install
	PYTHONPATH=src $(BIN)/python workflow/generate.py

# after a change of code behind a version was decided on: tests/project/test_versions.py
versions: install
	PYTHONPATH=src:tests/support $(BIN)/python tests/project/test_versions.py

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
	$(BIN)/python envs/lock.py deepspeed
	touch .venv/installed
