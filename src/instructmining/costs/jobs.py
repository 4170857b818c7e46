"""What selecting and finetuning cost: which jobs belong to which part, and how much they took.

A job is named as its cost file is, results/costs/{job}.tsv: ``rank_pool/longest/unseen``. Which jobs a selection needs
follows from the inputs of the rules (``dag.jobs``): a new kind of strategy is counted without a change here.
Nothing here imports polars: the DAG reads this module.
"""

import json
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from instructmining.config.names import Config, comparison_subsets
from instructmining.costs.ledger import Ledger
from instructmining.dag.jobs import Upstream, held
from instructmining.dag.pages import page_path
from instructmining.jobs import paths

# Of a selection, in the order the data flow; ``finetune`` is the run on what was selected.
PARTS = ("fit", "score", "select", "search")
FINETUNE = "finetune"
FIT_RULE = "fit_quality_rule"


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
    """The sum of the amounts; a zero amount if there are none."""
    found = Amount()
    for amount in amounts:
        found = found.plus(amount)
    return found


def selection_jobs(
    config: Config, order: str, pool: str, size: str, upstream: Upstream | None = None
) -> dict[str, list[str]]:
    """Jobs by ``PARTS`` that selecting the subset {order}/{pool}/{size} needs; each job is in one part only.

    ``score``: indicators and embeddings of the pool that the ranking reads, with what they need: preference heads, and
    the run whose model scores (and the selection of the subset that this run is trained on); ``select``: ranking and
    subset; ``search``: the trials behind a size ``best-…`` if the search is over this order (otherwise the strategy
    uses a size that another one paid for); ``fit``: all other jobs behind the quality rules that were met on the way.
    Reading data and preparing models belong to no strategy.

    Args:
        config: The checked config.
        order: A strategy, or one of its seeds.
        pool: The pool that it ranks.
        size: A number of examples, ``all`` or ``best-{search}``.
        upstream: What is known already of the jobs of this config.

    Raises:
        InputError: The config has no such strategy, or no entry computes a column that it reads.
    """
    upstream = upstream or Upstream(config)
    ranking = paths.RANKING.format(ranking=order, pool=pool)
    scoring, rules = upstream.jobs(upstream.inputs(ranking), stop=(FIT_RULE, "choose_size"))
    wanted = {
        "score": scoring,
        "select": [f"rank_pool/{order}/{pool}", f"select_subset/{order}/{pool}/{size}"],
        "search": _own_search_jobs(upstream, order, size),
        "fit": upstream.jobs(rules, stop=("choose_size",))[0],
    }
    found: dict[str, list[str]] = {}
    seen: set[str] = set()
    for part, jobs in wanted.items():
        found[part] = [job for job in jobs if job not in seen]
        seen.update(jobs)
    return {part: found[part] for part in PARTS}


def _own_search_jobs(upstream: Upstream, order: str, size: str) -> list[str]:
    """The jobs of the search that found ``size``; none if the search is over another order."""
    search = size.removeprefix("best-")
    if search == size or upstream.config["searches"][search]["strategy"] != order:
        return []
    return upstream.jobs([paths.SEARCH.format(search=search)], stop=(FIT_RULE,))[0]


def finetune_job(recipe: str, subset: str) -> str:
    """The name of the job that trains a run."""
    return f"finetune/{recipe}/{subset}"


def comparison_plan(config: Config, name: str) -> dict[tuple[str, str], dict[str, list[str]]]:
    """Recipe and subset of every run of a comparison -> its jobs by ``PARTS`` and ``finetune``."""
    found, upstream = {}, Upstream(config)
    for subset in comparison_subsets(config, name):
        order, pool, size = subset.split("/")
        parts = selection_jobs(config, order, pool, size, upstream)
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
        page = Path(page_path("costs").format(comparison=name))
        files = [Path(paths.cost(job)) for job in comparison_jobs(config, name)]
        made = page.stat().st_mtime if page.exists() else float("inf")
        found[str(page)] = sum(file.exists() and file.stat().st_mtime > made for file in files)
    return {page: newer for page, newer in found.items() if newer}


def amount(config: Config, ledger: Ledger, jobs: Iterable[str]) -> Amount:
    """What these jobs took."""
    found = []
    for job in jobs:
        gpus, cores = held(config, job)
        hours = ledger.seconds.get(job, 0.0) / 3600
        missing = int(job not in ledger.seconds)
        found.append(Amount(hours, gpus * hours, cores * hours, ledger.paid.get(job, 0.0), 1, missing))
    return total(found)
