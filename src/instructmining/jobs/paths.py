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

# the report; its pages and tables stand in the specs of report/pages (`instructmining.dag.pages`)
REPORT = "results/report.html"
ALL_FIGURES = "results/figures"
ALL_TABLES = "results/tables"

# jobs
COSTS = "results/costs"
ALL_ANSWERS = "results/answers"
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
