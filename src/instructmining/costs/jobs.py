"""What selecting and finetuning cost: which jobs belong to what, what each held, and how long it ran.

A job is named as its cost file is, results/costs/{job}.tsv: ``rank_pool/longest/unseen``. Which jobs a selection needs
follows from the config and from names alone. A new kind of strategy says in ``config.strategy_columns`` which
indicators it reads, and is counted.
Nothing here imports polars: the DAG reads this module.
"""

import json
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from instructmining.config.names import (
    Config,
    comparison_subsets,
    embedding_entry,
    entries_for,
    mixture_names,
    neighbour_entries,
    rule_columns,
    run_entries,
    run_subset,
    scoring_runs,
    shards,
    strategy_columns,
    strategy_embeddings,
    strategy_settings,
)
from instructmining.costs.ledger import Ledger
from instructmining.jobs import paths

# Of a selection, in the order the data flow; ``finetune`` is the run on what was selected.
PARTS = ("fit", "score", "select", "search")
FINETUNE = "finetune"


class Amount(NamedTuple):
    """What some jobs took. Hours are added up over jobs, whether or not they ran at the same time.

    ``gpu_hours`` and ``cpu_hours`` are hours of GPUs and cores held, used or not. ``paid``: for an API, in the
    config's currency. ``missing`` of the ``jobs`` were not measured and count nothing.
    """

    hours: float = 0.0
    gpu_hours: float = 0.0
    cpu_hours: float = 0.0
    paid: float = 0.0
    jobs: float = 0
    missing: float = 0

    def plus(self, other: "Amount") -> "Amount":
        return Amount(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))

    def times(self, factor: float) -> "Amount":
        return Amount(*(mine * factor for mine in self))


def total(amounts: Iterable[Amount]) -> Amount:
    """The sum; of nothing, nothing."""
    found = Amount()
    for amount in amounts:
        found = found.plus(amount)
    return found


def selection_jobs(config: Config, order: str, pool: str, size: str) -> dict[str, list[str]]:
    """Jobs by ``PARTS`` that selecting the subset {order}/{pool}/{size} needs; each stands in one part only.

    ``score``: indicators and embeddings of the pool that the ranking reads, with what they need: preference heads, and
    the run whose model scores (and the selection of what that is trained on); ``select``: ranking and subset;
    ``search``: the trials behind a size ``best-…`` if the search is over this order (else the size is borrowed);
    ``fit``: what is left that the strategy's quality rule needs. Reading data and preparing models belong to no
    strategy. InputError for a strategy or column that the config does not have.
    """
    rule = strategy_settings(config, order)[1].get("quality_rule")
    search = size.removeprefix("best-") if size.startswith("best-") else None
    own = search is not None and config["searches"][search]["strategy"] == order
    wanted = {
        "score": _pool_scoring(config, order, pool),
        "select": [f"rank_pool/{order}/{pool}", f"select_subset/{order}/{pool}/{size}"],
        "search": search_jobs(config, search) if search and own else [],
        "fit": fit_jobs(config, rule) if rule else [],
    }
    for _, subset in scoring_runs(config, order, pool):
        # a rule behind the run that scores is paid once too
        wanted["fit"] += selection_jobs(config, *subset.split("/"))["fit"]
    found: dict[str, list[str]] = {}
    seen: set[str] = set()
    for part, jobs in wanted.items():
        found[part] = [job for job in dict.fromkeys(jobs) if job not in seen]
        seen.update(jobs)
    return {part: found[part] for part in PARTS}


def finetune_job(recipe: str, subset: str) -> str:
    return f"finetune/{recipe}/{subset}"


def fit_jobs(config: Config, quality_rule: str) -> list[str]:
    """Everything behind a quality rule: mixtures, their runs and evaluations, indicators of their datasets, the fit.

    A run that was trained together with others has a row of its own; the job that trained them all counts nowhere.
    """
    settings = config["quality_rules"][quality_rule]
    jobs = [f"fit_quality_rule/{quality_rule}"]
    blocks = [block for block in config["mixtures"] if block["name"] in settings.get("mixtures", [])]
    for block in blocks:
        for name in mixture_names(config, [block["name"]]):
            jobs += [f"draw_mixture/{name}", *_run(settings["recipe"], f"mixtures/{name}", settings["loss"])]
        columns = rule_columns(config, quality_rule)
        jobs += scoring_jobs(config, block["datasets"], [f"mixtures/{block['name']}"], columns)
    return jobs


def search_jobs(config: Config, search: str) -> list[str]:
    """The trials of a search, and the ranking that they are taken from."""
    settings = config["searches"][search]
    order, pool = settings["strategy"], settings["pool"]
    jobs = [*_pool_scoring(config, order, pool), f"rank_pool/{order}/{pool}", f"choose_size/{search}"]
    for trial in (f"{search}/{t:03d}" for t in range(settings["trials"])):
        jobs += [f"propose_size/{trial}", f"select_trial/{trial}"]
        jobs += _run(settings["recipe"], f"searches/{trial}", settings["loss"])
    return jobs


def scoring_jobs(config: Config, datasets: list[str], reference_sets: list[str], columns: Iterable[str]) -> list[str]:
    """Jobs that compute these columns of these datasets: whole entries, whose other columns come with them.

    ``reference_sets``: where the values lie of entries whose neighbours are not looked for in the dataset alone.
    """
    jobs = []
    for entry in entries_for(config, columns):
        settings = config["indicators"][entry]
        if entry in neighbour_entries(config):
            jobs += _embedding(config, entry, datasets)
            compared = datasets if settings["reference"] == "dataset" else reference_sets
            jobs += [f"score_neighbours/{name}/{entry}" for name in compared]
        elif entry in run_entries(config):
            for pool in (name.removeprefix("pools/") for name in reference_sets):
                jobs += _scoring_under_run(config, entry, pool, datasets)
        else:
            jobs += [f"fit_preference_head/{entry}"] if settings.get("preference_head") else []
            jobs += [f"score/{name}/{entry}/{shard}" for name in datasets for shard in shards(config, name, entry)]
    return jobs


def comparison_plan(config: Config, name: str) -> dict[tuple[str, str], dict[str, list[str]]]:
    """Recipe and subset of every run of a comparison -> its jobs by ``PARTS`` and ``finetune``."""
    found = {}
    for subset in comparison_subsets(config, name):
        parts = selection_jobs(config, *subset.split("/"))
        for recipe in config["comparisons"][name]["recipes"]:
            found[recipe, subset] = {**parts, FINETUNE: [finetune_job(recipe, subset)]}
    return found


def comparison_jobs(config: Config, name: str) -> list[str]:
    """Every job that the costs of a comparison count, each once."""
    plan = comparison_plan(config, name).values()
    return list(dict.fromkeys(job for parts in plan for jobs in parts.values() for job in jobs))


def digest(config: Config, name: str) -> str:
    """Changes with the jobs that a comparison's costs are made of, and with what they hold."""
    whole = {"/".join(run): parts for run, parts in comparison_plan(config, name).items()}
    holding = {job: held(config, job) for job in comparison_jobs(config, name)}
    return sha256(json.dumps([whole, holding]).encode()).hexdigest()


def digest_of(config: Config, wildcards: Any) -> str:
    """`digest` of the comparison of a job of the report."""
    return digest(config, wildcards.comparison)


def stale_pages(config: Config) -> dict[str, int]:
    """Pages of costs that are older than measurements that they count, and how many: those are not their inputs."""
    found = {}
    for name in config["comparisons"]:
        page = Path(paths.COSTS_PAGE.format(comparison=name))
        files = [Path(paths.cost(job)) for job in comparison_jobs(config, name)]
        made = page.stat().st_mtime if page.exists() else float("inf")
        found[str(page)] = sum(file.exists() and file.stat().st_mtime > made for file in files)
    return {page: newer for page, newer in found.items() if newer}


def held(config: Config, job: str) -> tuple[int, int]:
    """GPUs and CPU cores that a job holds while it runs, as its rule asks for them."""
    rule, *names = job.split("/")
    if rule == "finetune" or rule == "evaluate_loss":
        recipe = config["recipes"][names[0]]
        on_gpu, nodes = recipe["device"] == "cuda", recipe["nodes"]
        if rule == "finetune":
            return recipe["gpus"] * nodes if on_gpu else 0, recipe["threads"] * nodes
        return int(on_gpu), recipe["threads"]
    if rule == "score_neighbours":
        return 0, config["indicators"][names[-1]]["n_jobs"]
    if rule in ("embed", "score", "score_under_run", "fit_preference_head"):
        entry = names[0] if rule == "fit_preference_head" else names[-2]
        settings = config["indicators"].get(entry) or config["embeddings"][entry]
        gpus = settings.get("gpus", 1) if settings.get("device") == "cuda" else 0
        return min(1, gpus) if rule == "fit_preference_head" else gpus, 1
    return 0, 1


def amount(config: Config, ledger: Ledger, jobs: Iterable[str]) -> Amount:
    """What these jobs took."""
    found = []
    for job in jobs:
        gpus, cores = held(config, job)
        hours = ledger.seconds.get(job, 0.0) / 3600
        missing = int(job not in ledger.seconds)
        found.append(Amount(hours, gpus * hours, cores * hours, ledger.paid.get(job, 0.0), 1, missing))
    return total(found)


def _pool_scoring(config: Config, order: str, pool: str) -> list[str]:
    datasets, embeddings = config["pools"][pool], strategy_embeddings(config, order)
    jobs = scoring_jobs(config, datasets, [f"pools/{pool}"], strategy_columns(config, order))
    return jobs + (_embedding(config, embeddings, datasets) if embeddings else [])


def _embedding(config: Config, entry: str, datasets: list[str]) -> list[str]:
    owner = embedding_entry(config, entry)
    return [f"embed/{name}/{owner}/{shard}" for name in datasets for shard in shards(config, name)]


def _scoring_under_run(config: Config, entry: str, pool: str, datasets: list[str]) -> list[str]:
    """What the run is trained on (a fit behind it is in selection_jobs), the run, and its model's scores."""
    subset, recipe = run_subset(config, entry, pool), config["indicators"][entry]["run"]["recipe"]
    parts = selection_jobs(config, *subset.split("/"))
    jobs = parts["score"] + parts["select"]
    scored = [f"{name}-{shard}" for name in datasets for shard in shards(config, name, entry)]
    return [*jobs, finetune_job(recipe, subset), *(f"score_under_run/{pool}/{entry}/{part}" for part in scored)]


def _run(recipe: str, subset: str, benchmark: str) -> list[str]:
    """A run and its evaluation."""
    return [finetune_job(recipe, subset), f"evaluate_loss/{recipe}/{subset}/{benchmark}"]
