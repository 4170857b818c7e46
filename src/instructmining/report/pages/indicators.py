"""Page "Indicators": how each is distributed, what is missing, and whether it tells good from bad responses."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from instructmining.indicators import normality
from instructmining.jobs.files import read_json, read_provenance
from instructmining.report import html as pages
from instructmining.report.charts import base as figures
from instructmining.report.charts import indicators as indicator_figures
from instructmining.report.job import Job
from instructmining.settings import Page

SPEC = Page(
    version=2,
    category="6 Indicators",
    caption=(
        "The distribution of every indicator in every dataset, missing and truncated values, tests of normality (Table "
        "7 of Cao et al. 2023, with the reading of the paper), and the indicator check: how well each indicator "
        "separates chosen from rejected responses."
    ),
    for_each="dag.shown.if_rankings_are_shown",
    path="indicators.html",
    tables={"normality": "indicators/normality.csv"},
    inputs={
        "indicators": "dag.data_pages.indicator_tables",
        "neighbours": "dag.data_pages.neighbour_files",
        "under_runs": "dag.data_pages.run_score_files",
        "indicator_check": "dag.data_pages.indicator_check",
    },
    labels={"page": "distributions and check"},
    order=130,
)

CHECK = (
    "On held-out preference pairs: how often a chosen response has a higher value than a rejected one (AUC; 0.5 is a "
    "coin, below it the rejected side has the higher values). Where the bootstrap interval holds 0.5, the indicator "
    "does not separate good from bad answers here, and a quality rule that leans on it selects by something else."
)
RECALL = (
    "distance recall: share of the sample whose distance is the exact one; neighbour recall: mean share of the i "
    "nearest that were found (recall@i)."
)
NEIGHBOURS = (
    "An indicator by neighbours compares an example with others: with those of its dataset in the curves above and in "
    "the indicator check, with the reference that the config names in quality rules and rankings. Where neighbours "
    "were found approximately, by NN-descent, a random sample of examples was compared with exact search."
)
NORMALITY = (
    "No method here needs normal indicators; Cao et al. (2023, Table 7) ask, and so it is answered. Lilliefors: the "
    "largest distance between the standardised values and a normal distribution, and how often a normal sample of that "
    "many would be as far. With thousands of values any small deviation has a small p: how large it is, the distance, "
    "skewness and excess kurtosis (both 0 when normal) say."
)
PAPER = (
    "paper_ks and paper_ks_p are the paper's own figures: one-sample Kolmogorov-Smirnov of the raw values against "
    "N(0, 1), where it reads a small p as normal. That is backwards: a small p speaks against, and here against mean 0 "
    "and standard deviation 1 as much as against the shape. They are shown to compare with Table 7, not to conclude."
)
CURVES = (
    "Every indicator is one number for one example. A curve is one dataset: the share of its examples by value, in "
    "bins; the outermost bins hold what lies beyond them."
)
LINES = "Lines: the 95 % bootstrap interval of the AUC; at the dashed line, chance."
MISSING = (
    "A value that could not be computed is null and counted, never filled in. truncated: examples of which the scorer "
    "saw only the beginning, since they are longer than its model or the config allows."
)
# Names that a sentence can hold.
NAMED = 8
_FOUND_BY = {"method": pl.String, "distance_recall": pl.Float64, "neighbour_recall": pl.Float64, "sample": pl.Int64}


def tables(job: Job) -> dict[str, pl.DataFrame]:
    """Whether each indicator is normally distributed, by dataset."""
    return {"normality": are_normal(read_values(job.inputs["indicators"], job.inputs["under_runs"]))}


def draw(job: Job, made: Mapping[str, pl.DataFrame]) -> str:
    """The page of a job."""
    found = job.inputs
    check = next((read_json(path) for path in found["indicator_check"]), None)
    return page(found["indicators"], found["neighbours"], check, made["normality"], found["under_runs"])


def page(
    files: Sequence[str],
    neighbour_files: Sequence[str],
    check: dict[str, Any] | None,
    normal: pl.DataFrame,
    run_files: Sequence[str] = (),
) -> str:
    """The page.

    ``files``: results/indicators/{dataset}.parquet of each dataset; ``neighbour_files``: every file of indicators
    by neighbours; ``check``: results/indicator_check.json; ``normal``: from ``are_normal``; ``run_files``: of
    indicators that a run on the pool scores, results/indicators/pools/{pool}/{entry}/{dataset}-{shard}.parquet."""
    values = read_values(files, run_files)
    datasets = values["dataset"].unique(maintain_order=True).to_list()
    names = _names(values)
    known = {name: set(values.drop_nulls(name)["dataset"]) for name in names}
    means = meaning(files, run_files)
    units = dict(means.select("indicator", "unit").iter_rows())
    colours, dashed = colours_of(datasets)
    curves = [
        indicator_figures.distribution(
            values, name, {d: colours[d] for d in datasets if d in known[name]}, units[name], dashed
        )
        for name in names
    ]
    parts = [
        pages.words(CURVES),
        pages.legend({name: colour for name, colour in colours.items() if name == _base(name)}, dashed),
        pages.charts(*curves),
        pages.heading("Missing and truncated"),
        pages.words(MISSING),
        pages.table(missing(files, run_files), rows=25),
        pages.heading("What they are"),
        pages.table(means, rows=25),
        pages.heading("Are they normal?"),
        pages.words(NORMALITY, normality_sentence(normal), PAPER),
        pages.table(normal, note=_sampled(normal), rows=25),
    ]
    if neighbour_files:
        parts += [
            pages.heading("Nearest neighbours"),
            pages.words(NEIGHBOURS),
            pages.table(neighbours(neighbour_files), note=RECALL, rows=25),
        ]
    if check is not None:
        frame = check_frame(check)
        parts += [
            pages.heading("Indicator check"),
            pages.words(CHECK, check_sentence(frame)),
            pages.charts(indicator_figures.indicator_check(frame), note=LINES),
            pages.table(frame, rows=25),
        ]
    return pages.page("Indicators", parts)


def read_values(files: Sequence[str], run_files: Sequence[str] = ()) -> pl.DataFrame:
    """``id``, ``dataset`` and a column an indicator, of ``page``'s files; a run's scores as of one dataset more."""
    return pl.concat([*map(_of_dataset, files), *map(_under_run, run_files)], how="diagonal")


def are_normal(values: pl.DataFrame) -> pl.DataFrame:
    """``normality.table`` of all indicators. ``values``: from ``read_values``."""
    return normality.table(values, _names(values))


def _names(values: pl.DataFrame) -> list[str]:
    return sorted(set(values.columns) - {"dataset", "id"})


def normality_sentence(normal: pl.DataFrame) -> str:
    """How many indicators of how many datasets are not normal, in words."""
    tested = normal.filter(pl.col("verdict").is_in([normality.NORMAL, normality.NOT_NORMAL]))
    against = tested.filter(pl.col("verdict") == normality.NOT_NORMAL)
    if tested.is_empty():
        return "Nothing could be tested here."
    told = f"Not normal (p below {normality.LEVEL}): {against.height} of {tested.height} indicators by dataset."
    kept = tested.filter(pl.col("verdict") == normality.NORMAL).select(pl.format("{} in {}", "indicator", "dataset"))
    few = 0 < kept.height <= NAMED
    return told + (
        f" Not rejected: {', '.join(kept.to_series())}." if few else " The table has each." * bool(kept.height)
    )


def _sampled(normal: pl.DataFrame) -> str:
    cut = normal.filter(pl.col("tested") < pl.col("values")).height
    told = f"Of more than {normality.SAMPLE:,} values a seeded sample is tested ({cut} rows here)." if cut else ""
    return f"{told} Also as results/tables/indicators/normality.csv.".strip()


def missing(files: Sequence[str], run_files: Sequence[str] = ()) -> pl.DataFrame:
    """Nulls and truncated examples of every dataset and indicator, from the files' own provenance."""
    rows = [
        {
            "dataset": dataset,
            "indicator": column,
            "examples": origin["rows"],
            "null": nulls,
            "truncated": origin["truncated"],
        }
        for dataset, origin in _origins(files, run_files)
        for column, nulls in origin["null"].items()
    ]
    counted = pl.DataFrame(rows, infer_schema_length=None)
    return counted.group_by("dataset", "indicator").sum().sort("dataset", "indicator")


def meaning(files: Sequence[str], run_files: Sequence[str] = ()) -> pl.DataFrame:
    """Unit, direction, scorer and model of every indicator, from the files' own provenance."""
    rows = {
        (column, origin.get("model")): {
            "indicator": column,
            "unit": unit,
            "direction": origin["directions"][column],
            "scorer": origin["scorer"],
            "model": origin.get("model"),
            "revision": origin.get("revision"),
        }
        for _, origin in _origins(files, run_files)
        for column, unit in origin["units"].items()
    }
    return pl.DataFrame([*rows.values()], infer_schema_length=None).sort("indicator", "model")


def colours_of(datasets: Sequence[str]) -> tuple[dict[str, str], set[str]]:
    """A colour a dataset, in a pool the same one; and those that are dashed, since colours begin again."""
    bases = list(dict.fromkeys(map(_base, datasets)))
    colours = {name: figures.PALETTE[i % len(figures.PALETTE)] for i, name in enumerate(bases)}
    again = set(bases[len(figures.PALETTE) :])
    dashed = {name for name in (*bases, *datasets) if _base(name) in again}
    return {**colours, **{name: colours[_base(name)] for name in datasets}}, dashed


def _base(dataset: str) -> str:
    """``dolly`` of ``dolly (unseen)``."""
    return dataset.partition(" (")[0]


def _origins(files: Sequence[str], run_files: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Dataset and provenance of every entry's values; of a run's scores one a shard."""
    for path in files:
        yield from ((Path(path).stem, origin) for origin in read_provenance(path).values())
    for path in run_files:
        yield _in_pool(path), read_provenance(path)


def _in_pool(path: str) -> str:
    """``dolly (unseen)`` of …/pools/unseen/{entry}/dolly-000-of-001.parquet."""
    return f"{Path(path).stem.partition('-')[0]} ({Path(path).parent.parent.name})"


def _of_dataset(path: str) -> pl.DataFrame:
    return pl.read_parquet(path).with_columns(dataset=pl.lit(Path(path).stem))


def _under_run(path: str) -> pl.DataFrame:
    return pl.read_parquet(path).drop("truncated", "reason").with_columns(dataset=pl.lit(_in_pool(path)))


def neighbours(paths: Sequence[str]) -> pl.DataFrame:
    """How the neighbours of every indicator and reference set were found, from the files' own provenance."""
    rows = []
    for path in map(Path, paths):
        origin = read_provenance(path)
        folder = path.parent.parent
        places = [folder.parent.name, folder.name] if folder.parent.name in ("pools", "mixtures") else [folder.name]
        rows.append(
            {
                "indicator": ", ".join(origin["units"]),
                "examples of": "/".join(places),
                "reference": origin["settings"]["reference"],
                "examples": origin["rows"],
                "null": sum(origin["null"].values()),
                **{key: origin["neighbours"].get(key) for key in _FOUND_BY},
            }
        )
    frame = pl.DataFrame(rows, schema_overrides=_FOUND_BY)
    return frame.rename({key: key.replace("_", " ") for key in _FOUND_BY}).sort("indicator", "examples of")


def check_frame(check: dict[str, Any]) -> pl.DataFrame:
    """The indicator check as a table, best AUC first."""
    rows = [
        {
            "indicator": name,
            "auc": found["auc"],
            "low": found["interval"][0],
            "high": found["interval"][1],
            "n_pairs_used": found["n_pairs_used"],
            "verdict": found["verdict"],
            "direction": found["direction"],
        }
        for name, found in check["indicators"].items()
    ]
    return pl.DataFrame(rows, infer_schema_length=None).sort("auc", descending=True, nulls_last=True)


def check_sentence(frame: pl.DataFrame) -> str:
    """Which indicators separate chosen from rejected responses, in words."""
    told = [f"{row['indicator']} ({row['auc']:.2f})" for row in _separating(frame)]
    if not told:
        return "No indicator separates chosen from rejected responses here."
    rest = frame.height - len(told)
    others = f" The other {rest} do not." if rest > 1 else " The other one does not." if rest else ""
    return f"Separating (AUC): {', '.join(told)}.{others}"


def _separating(frame: pl.DataFrame) -> list[dict[str, Any]]:
    return frame.filter(pl.col("verdict") == "separates").to_dicts()
