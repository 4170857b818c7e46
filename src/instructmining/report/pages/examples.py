"""Page "Examples": the best, the middle and the worst of a ranking, and the way back to their source rows."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
from markupsafe import Markup

from instructmining.jobs.errors import InputError
from instructmining.jobs.files import read_json
from instructmining.report import html as pages
from instructmining.report.job import Job
from instructmining.report.pages.data import source
from instructmining.settings import Page

SPEC = Page(
    version=2,
    category="7 Examples",
    caption=(
        "The best, middle and worst examples of pool {pool} under strategy {strategy}, with their texts, scores, "
        "indicators and source rows."
    ),
    for_each="dag.shown.each_shown_ranking",
    path="examples/{strategy}/{pool}.html",
    tables={"table": "examples/{strategy}/{pool}.csv"},
    shown_tables={"table": "table as CSV"},
    inputs={
        "ranking": "results/rankings/{strategy}/{pool}.parquet",
        "examples": "dag.data_pages.pool_examples",
        "indicators": "dag.data_pages.pool_indicator_tables",
        "summaries": "dag.rankings.pool_summaries",
    },
    params={"examples": "dag.data_pages.number_of_examples"},
    labels={"strategy": "{strategy}", "pool": "{pool}", "what": "page"},
    order=140,
)

TEXTS = ("instruction", "input", "output")
TITLES = {"best": "The {} best", "middle": "{} from the middle", "worst": "The {} worst"}
WALK = (
    "To walk back by hand: the id is in results/rankings/{}/{}.parquet with its score and rank; its indicators are in "
    "results/indicators/, in the file of its dataset; its text is in examples.parquet of its dataset, whose column row "
    "is the 0-based row of the source named here."
)


def tables(job: Job) -> dict[str, pl.DataFrame]:
    """The best, the middle and the worst examples of a ranking, with their texts."""
    sources = {Path(path).parent.name: source(read_json(path)) for path in job.inputs["summaries"]}
    ranking = pl.read_parquet(job.inputs["ranking"][0])
    files = (job.inputs["examples"], job.inputs["indicators"])
    return {"table": extremes(ranking, *files, sources, job.params["examples"])}


def draw(job: Job, made: Mapping[str, pl.DataFrame]) -> str:
    """The page of a job."""
    ranked = pl.scan_parquet(job.inputs["ranking"][0]).select(pl.len()).collect().item()
    return page(job.names["strategy"], job.names["pool"], made["table"], ranked)


def extremes(
    ranking: pl.DataFrame,
    examples: Sequence[str],
    indicators: Sequence[str],
    sources: dict[str, str],
    n: int,
) -> pl.DataFrame:
    """The ``n`` best, middle and worst scored examples of a ranking, with text, indicators and source.

    ``ranking``: ``id``, ``dataset``, ``score``, ``rank``, best first; ``examples``: the examples.parquet of the pool's
    datasets; ``indicators``: their results/indicators/{dataset}.parquet; ``sources``: dataset to its source in words.
    Rows without a score stand last in a ranking and are left out here. Where the pool holds fewer than 3n scored
    examples, no example is shown twice. InputError where an id has no text.
    """
    scored = ranking.filter(pl.col("score").is_not_null()).sort("rank")
    n = min(n, scored.height // 3)
    middle = (scored.height - n) // 2
    blocks = [scored.slice(0, n), scored.slice(middle, n), scored.slice(scored.height - n, n)]
    chosen = pl.concat(block.with_columns(group=pl.lit(group)) for group, block in zip(TITLES, blocks, strict=True))
    wanted = chosen.lazy().select("id", "dataset")
    texts = pl.concat(
        pl.scan_parquet(path).join(wanted, on=["id", "dataset"], how="semi").collect(engine="streaming")
        for path in examples
    )
    numbers = pl.concat(
        (pl.read_parquet(path).with_columns(dataset=pl.lit(Path(path).stem)) for path in indicators), how="diagonal"
    )
    found = chosen.join(texts, on=["id", "dataset"], how="left", maintain_order="left")
    missing = found.filter(pl.col("output").is_null())
    if missing.height:
        raise InputError(f"ranking: example {missing['id'][0]} is not in dataset {missing['dataset'][0]}")
    found = found.join(numbers, on=["id", "dataset"], how="left", maintain_order="left")
    first = ["group", "rank", "score"]
    return found.select(
        *first,
        pl.col("score").exp().alias("predicted_loss"),
        "id",
        "dataset",
        "row",
        pl.col("dataset").replace_strict(sources, return_dtype=pl.String).alias("source"),
        *sorted(set(numbers.columns) - {"id", "dataset"}),
        *TEXTS,
    )


def page(strategy: str, pool: str, frame: pl.DataFrame, ranked: int) -> str:
    """``frame``: from ``extremes``; ``ranked``: how many examples the ranking holds."""
    parts = [
        pages.words(
            f"Strategy {strategy} put the {ranked:,} examples of pool {pool} in order. The score is the log of the "
            "loss that the quality rule predicts, the raw rule (as in Table 3 of Cao et al. 2023): lower is better. "
            "Predicted loss is exp(score), the figure of their Tables 10 to 12. Rank 0 is the first that is selected. "
            "A click on an example opens it: its text, its indicators and its source."
        )
    ]
    for group, title in TITLES.items():
        rows = frame.filter(pl.col("group") == group)
        if rows.height:
            parts += [pages.heading(title.format(rows.height)), pages.html(cards(rows))]
    parts += [
        pages.heading("All of them, to search"),
        pages.words(WALK.format(strategy, pool)),
        pages.table(frame, note="Long texts are cut off here; in full above, and in the CSV beside this page."),
    ]
    return pages.page(f"Examples: {strategy} on {pool}", parts)


def cards(frame: pl.DataFrame) -> Markup:
    """Rows of ``extremes`` to read."""
    return Markup("\n").join(card(row) for row in frame.iter_rows(named=True))


def card(row: dict[str, object]) -> Markup:
    """One example to read: what it says, its numbers, its source row. Every text is escaped."""
    texts = Markup("").join(Markup("<dt>{}</dt><pre>{}</pre>").format(name, row[name]) for name in TEXTS if row[name])
    shown = [name for name in row if name not in (*TEXTS, "group", "rank")]
    numbers = Markup("").join(
        Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(name.replace("_", " "), _text(row[name])) for name in shown
    )
    title = " ".join(str(row["instruction"]).split())
    title = title[:90] + "…" * (len(title) > 90)
    loss = _text(row["predicted_loss"])
    return Markup(
        '<details class="example"><summary><strong>{}</strong> · score {} · predicted loss {} · {}</summary>{}'
        "<dl>{}</dl></details>"
    ).format(_text(row["rank"]), _text(row["score"]), loss, title, texts, numbers)


def _text(value: object) -> str:
    if value is None:
        return "null"
    return f"{value:.4g}" if isinstance(value, float) else f"{value}"
