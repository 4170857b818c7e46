"""Evaluations, indicators, rankings, subsets and searches computed again from the files they were made from.

Each function is given the study, the name of its first file and what the wildcards of its pattern stand for, and
returns what the files of the pattern should be. No model is read. See ``instructmining.trail.recompute``.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from instructmining.config import dataset_columns, strategy_columns, strategy_settings
from instructmining.data import mixtures
from instructmining.indicators import check as indicator_check
from instructmining.indicators import table as indicator_table
from instructmining.jobs import paths
from instructmining.jobs.files import read_json
from instructmining.selection import subsets, trials
from instructmining.settings import versions
from instructmining.strategies.ranking import rank_pool
from instructmining.tables.significance import read_items
from instructmining.trail.study import Computed, Expected, Study, without_provenance


def evaluation(study: Study, file: str, *_: str) -> tuple[Expected, Expected]:
    """The value is the mean of the items, weighted (of a loss, nats over tokens); how many it used."""
    items = pl.read_parquet(study.path(f"{file.removesuffix('.json')}.items.parquet"))
    made_of = read_items(study.path(file))
    figures = {
        **without_provenance(read_json(study.path(file))),
        "value": float(made_of["total"].sum()) / float(made_of["weight"].sum()),
        "n_used": made_of.filter(pl.col("weight") > 0).height,
    }
    if "nll" not in items.columns:
        return figures, None
    return figures, items.with_columns(value=pl.col("nll") / pl.col("tokens"))


def indicators(study: Study, file: str, dataset: str) -> tuple[pl.DataFrame]:
    """A dataset's table, joined from its shards; which examples and columns it has is taken from itself."""
    path = study.path(file)
    columns = [column for column in pl.read_parquet_schema(path) if column != "id"]
    return (indicator_table.dataset_table(dataset, path, study.made_from(file, "indicators"), columns)[0],)


def check(study: Study, file: str) -> tuple[dict[str, Any]]:
    """The indicator check: the examples say which row of their source each is, which pairs the two sides."""
    settings, columns = study.config["indicator_check"], dataset_columns(study.config)
    sides = [settings[side] for side in ("chosen", "rejected")]
    shards = [study.made_from(file, f"indicators/{side}") for side in sides]
    return (indicator_check.check_files(study.examples(sides), shards, columns, settings, versions.INDICATOR_CHECK),)


def ranking(study: Study, file: str, order: str, pool: str) -> tuple[pl.DataFrame]:
    """A pool's order, from indicators, quality rule and other orders."""
    settings, datasets = strategy_settings(study.config, order)[1], study.config["pools"][pool]
    # without texts: the examples that the ranking has, save where the order is that of the datasets
    texts = {paths.EXAMPLES.format(dataset=dataset) for dataset in datasets} <= study.files
    ranked, _ = rank_pool(
        pool,
        settings,
        strategy_columns(study.config, order),
        versions.RANKINGS,
        datasets,
        # which no archive holds: first, since the reason given is that of the first file that is not there
        embeddings=study.made_from(file, "embeddings"),
        indicators=study.made_from(file, "indicators"),
        examples=study.examples(datasets) if texts or settings["kind"] == "full" else [study.path(file)],
        against=study.made_from(file, "rankings"),
        quality_rule=_only(study.made_from(file, "quality_rules", ".json")),
    )
    return (ranked,)


def mixture(study: Study, _: str, block: str, i: str) -> tuple[pl.DataFrame]:
    """Drawn again from all ids of its datasets."""
    settings = {entry["name"]: entry for entry in study.config["mixtures"]}[block]
    ids = {dataset: _ids(study, dataset) for dataset in settings["datasets"]}
    return (mixtures.mixture(ids, settings, block, int(i), versions.MIXTURES)[0],)


def _ids(study: Study, dataset: str) -> str:
    """A file with a dataset's ids: its own, with texts, need not be in the archive; its indicators have the same."""
    table = paths.INDICATOR_TABLE.format(dataset=dataset)
    return study.path(table) if table in study.files else study.examples([dataset])[0]


def subset(study: Study, file: str, *names: str) -> tuple[pl.DataFrame]:
    """The first of a ranking: as many as its name, a search's best size or a trial's proposal says."""
    (path,) = study.made_from(file, "rankings")
    chosen_by = _only(study.made_from(file, "searches", ".json"))
    strategy, pool = Path(path).parent.name, Path(path).stem
    return (subsets.select_subset(path, names[-1], strategy, pool, versions.RANKINGS, chosen_by)[0],)


def size_found(study: Study, file: str, name: str) -> tuple[dict[str, Any]]:
    """The best of a search's trials."""
    settings = study.config["searches"][name]
    return (trials.search_result(name, *_trials(study, file), settings, versions.SEARCHES),)


def proposal(study: Study, file: str, name: str, t: str) -> tuple[dict[str, Any]]:
    """A search's proposal, by replaying the searcher: that of the last trial proposes all before it, and says if one
    is another."""
    settings, found = study.config["searches"][name], read_json(study.path(file))
    if int(t) < settings["trials"] - 1:
        return (found,)
    keys = {key: settings[key] for key in ("low", "high", "parallel", "seed")}
    again = trials.proposal(name, int(t), *_trials(study, file), keys)
    # the packages that are installed here need not be those of the study
    return ({**again, "versions": found["versions"]},)


def _trials(study: Study, file: str) -> tuple[list[str], list[str]]:
    """The proposals and the evaluations that a file was made from, in the order of the trials."""
    folders = ("searches", "evaluations")
    proposals, evaluations = (sorted(study.made_from(file, folder, ".json")) for folder in folders)
    return proposals, evaluations


def _only(files: Sequence[str]) -> str | None:
    """The one file of a kind that a job read, or None."""
    return files[0] if files else None


DATA: Computed = {
    (paths.EVALUATION, paths.ITEMS): evaluation,
    (paths.INDICATOR_TABLE,): indicators,
    (paths.INDICATOR_CHECK,): check,
    (paths.RANKING,): ranking,
    (paths.MIXTURE,): mixture,
    (paths.TRIAL_SUBSET,): subset,
    (paths.SELECTED,): subset,
    (paths.PROPOSAL,): proposal,
    (paths.SEARCH,): size_found,
}
