"""Every path that the study writes, once: as a pattern whose wildcards stand in braces, relative to the study's folder.

A rule has the pattern as its output (``output: paths.RANKING``); all other code fills it in
(``paths.RANKING.format(ranking="longest", pool="unseen")``). Wildcards: a ``subset`` is ``{ranking}/{pool}/{size}``,
``mixtures/{block}-{i}`` or ``searches/{search}/{t}``; a ``reference_set`` is ``{dataset}``, ``pools/{pool}`` or
``mixtures/{block}``; a ``shard`` is ``000-of-004``. A ``job`` is ``{rule}/{wildcards}``: the log, the measurement and
the record of a job have its name.

The rules read this module in every job: it imports nothing.
"""

RESULTS = "results"
LOGS = "logs"
# what jobs keep of unfinished work; it may be deleted
WORK = "results/.work"

# data and models
PACKAGE = "results/packages/{package}-{version}.archive"
EXAMPLES = "results/datasets/{dataset}/examples.parquet"
REJECTED = "results/datasets/{dataset}/rejected.jsonl"
DATASET_SUMMARY = "results/datasets/{dataset}/summary.json"
MODEL = "results/models/{model}"
MODEL_RECORD = "results/models/{model}/model.json"

# indicators
EMBEDDINGS = "results/embeddings/{dataset}/{entry}/{shard}.parquet"
INDICATOR_SHARD = "results/indicators/{dataset}/{entry}/{shard}.parquet"
NEIGHBOUR_INDICATOR = "results/indicators/{reference_set}/{entry}/000-of-001.parquet"
RUN_INDICATOR = "results/indicators/pools/{pool}/{entry}/{dataset}-{shard}.parquet"
INDICATOR_TABLE = "results/indicators/{dataset}.parquet"
INDICATOR_CHECK = "results/indicator_check.json"
PREFERENCE_HEAD = "results/preference_heads/{entry}.json"

# quality rules
QUALITY_RULE = "results/quality_rules/{quality_rule}.json"
OBSERVATIONS = "results/quality_rules/{quality_rule}/observations.csv"
ALL_SUBSETS = "results/quality_rules/{quality_rule}/all_subsets.csv"
DIAGNOSTICS = "results/quality_rules/{quality_rule}/diagnostics.json"

# selection
RANKING = "results/rankings/{ranking}/{pool}.parquet"
SUBSET = "results/subsets/{subset}.parquet"
SELECTED = "results/subsets/{ranking}/{pool}/{size}.parquet"
MIXTURE = "results/subsets/mixtures/{block}-{i}.parquet"
TRIAL_SUBSET = "results/subsets/searches/{search}/{t}.parquet"
PROPOSAL = "results/searches/{search}/trials/{t}.json"
SEARCH = "results/searches/{search}.json"

# training
TRAINED = "results/runs/{recipe}/{subset}/train.json"
WEIGHTS = "results/runs/{recipe}/{subset}/model"
CARD = "results/runs/{recipe}/{subset}/README.md"
FINAL_PARQUET = "results/runs/{recipe}/{subset}/subset.parquet"
FINAL_JSONL = "results/runs/{recipe}/{subset}/subset.jsonl"
BATCH = "results/batches/{recipe}/{block}-{batch}"
RUN_WORK = "results/.work/runs/{recipe}"

# evaluations
EVALUATION = "results/evaluations/{recipe}/{subset}/{benchmark}.json"
ITEMS = "results/evaluations/{recipe}/{subset}/{benchmark}.items.parquet"
GENERATIONS = "results/generations/{recipe}/{subset}/{benchmark}.parquet"
ANSWERS = "results/answers/{judge}/{part}.jsonl"
JUDGE_COST = "results/costs/judge/{dataset}/{entry}/{shard}.json"
PAIR_JUDGE_COST = "results/costs/judge_pairs/{recipe}/{subset}/{benchmark}.json"

# pages of the report
REPORT = "results/report.html"
SUMMARY_PAGE = "results/figures/summary.html"
COMPARISON_PAGE = "results/figures/comparisons/{comparison}.html"
BENCHMARK_PAGE = "results/figures/benchmarks/{comparison}/{benchmark}.html"
COSTS_PAGE = "results/figures/costs/{comparison}.html"
OVERLAPS_PAGE = "results/figures/overlaps/{comparison}.html"
CONTAMINATION_PAGE = "results/figures/contamination/{comparison}.html"
AGREEMENT_PAGE = "results/figures/agreement.html"
SIZE_SCAN_PAGE = "results/figures/size_scans/{study}.html"
ABLATION_PAGE = "results/figures/ablations/{study}.html"
DATASET_LOSSES_PAGE = "results/figures/dataset_losses/{study}.html"
SEARCH_PAGE = "results/figures/searches/{search}.html"
QUALITY_RULE_PAGE = "results/figures/quality_rules/{quality_rule}.html"
INDICATORS_PAGE = "results/figures/indicators.html"
EXAMPLES_PAGE = "results/figures/examples/{strategy}/{pool}.html"
DATA_PAGE = "results/figures/data.html"

# tables of the report
COMPARISON_TABLE = "results/tables/{comparison}.csv"
RUNS_TABLE = "results/tables/runs/{comparison}.csv"
BENCHMARK_TABLE = "results/tables/benchmarks/{comparison}/{benchmark}.csv"
COSTS_TABLE = "results/tables/costs/{comparison}/strategies.csv"
COST_PARTS_TABLE = "results/tables/costs/{comparison}/parts.csv"
SUBSETS_TABLE = "results/tables/subsets/{comparison}.csv"
OVERLAPS_TABLE = "results/tables/overlaps/{comparison}.csv"
CONTAMINATION_TABLE = "results/tables/contamination/{comparison}.csv"
CONTAMINATION_PAIRS_TABLE = "results/tables/contamination/{comparison}-pairs.csv"
AGREEMENT_TABLE = "results/tables/agreement/{between}.csv"
SIZE_SCAN_TABLE = "results/tables/size_scans/{study}.csv"
ABLATION_TABLE = "results/tables/ablations/{study}/differences.csv"
ABLATION_RULES_TABLE = "results/tables/ablations/{study}/rules.csv"
DATASET_LOSSES_TABLE = "results/tables/dataset_losses/{study}.csv"
QUALITY_RULE_TABLE = "results/tables/quality_rules/{quality_rule}/{table}.csv"
QUALITY_RULE_LATEX = "results/tables/quality_rules/{quality_rule}/ols.tex"
NORMALITY_TABLE = "results/tables/indicators/normality.csv"
EXAMPLES_TABLE = "results/tables/examples/{strategy}/{pool}.csv"

# jobs
COSTS = "results/costs"
ALL_ANSWERS = "results/answers"
ALL_FIGURES = "results/figures"
METADATA = ".snakemake/metadata"
SURROUNDINGS = "results/surroundings/{digest}.json"


def log(job: str) -> str:
    """The log of a job, or of a pattern of jobs: ``rank_pool/{ranking}/{pool}``."""
    return f"{LOGS}/{job}.log"


def cost(job: str) -> str:
    """The file with the wall-clock time and memory of a job, which Snakemake measures."""
    return f"{COSTS}/{job}.tsv"


def job_record(job: str) -> str:
    """The file in which a job says when it began and with which software and machine it ran."""
    return f"{RESULTS}/jobs/{job}.json"
