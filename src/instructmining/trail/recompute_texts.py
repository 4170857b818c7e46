"""Tables of indicators and of texts computed again; as in ``instructmining.trail.recompute_data``.

Contamination and examples need the texts of datasets, which an archive holds only when asked for.
"""

from pathlib import Path

import polars as pl

from instructmining.config import comparison_subsets, evaluated_texts, run_entries
from instructmining.jobs import paths
from instructmining.jobs.files import read_json
from instructmining.report.pages import data
from instructmining.report.pages import examples as examples_page
from instructmining.report.pages import indicators as indicators_page
from instructmining.tables import contamination
from instructmining.trail.study import Computed, Study


def normality(study: Study, file: str) -> tuple[pl.DataFrame]:
    """Whether indicators are normally distributed, by dataset."""
    tables, runs = list[str](), list[str]()
    for path in study.made_from(file, "indicators"):
        parts = Path(path).relative_to(study.folder / "results/indicators").parts
        if len(parts) == 1:
            tables.append(path)
        # others are by neighbours: in the tables too, and inputs for the sake of the page
        elif parts[-2] in run_entries(study.config):
            runs.append(path)
    return (indicators_page.are_normal(indicators_page.read_values(tables, runs)),)


def contaminated(study: Study, _: str, name: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """How much of the evaluation sets is in what runs were trained on."""
    named = comparison_subsets(study.config, name)
    files = study.paths(paths.SUBSET.format(subset=subset) for subset in named)
    subsets = {subset: pl.read_parquet(path) for subset, path in zip(named, files, strict=True)}
    texts = evaluated_texts(study.config, name)
    template = paths.EXAMPLES
    trained_on = sorted({dataset for rows in subsets.values() for dataset in rows["dataset"].unique()})
    there = study.paths([*texts.values(), *(template.format(dataset=dataset) for dataset in trained_on)])
    evaluated = dict(zip(texts, there, strict=False))
    return contamination.tables(evaluated, subsets, study.folder / template, study.config["report"]["ngram"])


def examples(study: Study, _: str, strategy: str, pool: str) -> tuple[pl.DataFrame]:
    """The best, the middle and the worst of a ranking, with their texts."""
    datasets = study.config["pools"][pool]
    ranking = pl.read_parquet(study.path(paths.RANKING.format(ranking=strategy, pool=pool)))
    summaries = study.paths(paths.DATASET_SUMMARY.format(dataset=dataset) for dataset in datasets)
    sources = {dataset: data.source(read_json(path)) for dataset, path in zip(datasets, summaries, strict=True)}
    values = study.paths(paths.INDICATOR_TABLE.format(dataset=dataset) for dataset in datasets)
    number = study.config["report"]["examples"]
    return (examples_page.extremes(ranking, study.examples(datasets), values, sources, number),)


TEXT_TABLES: Computed = {
    (paths.NORMALITY_TABLE,): normality,
    (paths.CONTAMINATION_TABLE, paths.CONTAMINATION_PAIRS_TABLE): contaminated,
    (paths.EXAMPLES_TABLE,): examples,
}
