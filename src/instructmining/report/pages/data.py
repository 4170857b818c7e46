"""Page "Data": what each dataset is, where it is from, and what became of its rows."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from instructmining.jobs.files import read_json
from instructmining.report import html as pages
from instructmining.report.charts import base as figures
from instructmining.report.job import Job
from instructmining.settings import Page

SPEC = Page(
    version=2,
    category="8 Data",
    caption=(
        "Every dataset: its source, licence and checksum, how many rows were read and kept, and why rows were rejected."
    ),
    for_each="dag.shown.if_datasets",
    path="data.html",
    inputs={"summaries": "dag.data_pages.all_summaries"},
    labels={"page": "datasets"},
    order=150,
)

ABOUT = (
    "Every row of a source is kept as an example, not sampled, since the dataset has a limit, or rejected with a "
    "reason; rejected rows stand in results/datasets/{dataset}/rejected.jsonl with their row number. A row that holds "
    "several examples counts for each. Ids are hashes of the text, so the same example has the same id everywhere."
)

REASONS = (
    "duplicate: of an earlier row; excluded_…: by the dataset's exclude_… in the config, most often so that nothing "
    "that is evaluated on is trained on; any other: the row could not be used."
)


def draw(job: Job, _: Mapping[str, pl.DataFrame]) -> str:
    """The page of a job."""
    return page({Path(path).parent.name: read_json(path) for path in job.inputs["summaries"]})


def page(summaries: dict[str, dict[str, Any]]) -> str:
    """``summaries``: dataset name to results/datasets/{dataset}/summary.json."""
    fates = pl.DataFrame(
        [
            {"dataset": name, "fate": fate, "rows": rows}
            for name, summary in summaries.items()
            for fate, rows in fates_of(summary).items()
        ],
        schema={"dataset": pl.String, "fate": pl.String, "rows": pl.Int64},
    )
    frame = pl.DataFrame([_row(name, summary) for name, summary in summaries.items()], infer_schema_length=None)
    facts = {
        "datasets": f"{len(summaries):,}",
        "rows read": f"{frame['rows read'].sum():,}",
        "kept": f"{frame['kept'].sum():,}",
        "not sampled": f"{frame['not sampled'].sum():,}",
        "rejected": f"{frame['rejected'].sum():,}",
    }
    unpinned = [name for name, summary in summaries.items() if not is_pinned(summary)]
    parts = [pages.words(ABOUT), pages.facts(facts)]
    if unpinned:
        parts.append(pages.warning(f"Unpinned: {', '.join(unpinned)}. The source may change, and the results with it."))
    parts += [
        pages.charts(figures.kept_and_rejected(fates.filter(pl.col("fate") != "not sampled"))),
        pages.heading("Datasets"),
        pages.table(frame, note="sha256: the first 16 digits; the whole is in summary.json.", rows=25),
        pages.heading("Rejected, by reason"),
        pages.table(
            fates.filter(~pl.col("fate").is_in(["kept", "not sampled"])).rename({"fate": "reason"}),
            note=REASONS,
            rows=25,
        ),
    ]
    return pages.page("Data", parts)


def fates_of(summary: dict[str, Any]) -> dict[str, int]:
    """Rows by what became of them: kept, left out by sampling, rejected for each reason."""
    return {"kept": summary["kept"], "not sampled": summary["not_sampled"], **summary["rejected"]}


def is_pinned(summary: dict[str, Any]) -> bool:
    """A checksum, or a revision that is not a moving branch, fixes the content."""
    return summary["revision"] != "unpinned" and not (summary["revision"] is None and summary["sha256"] is None)


def source(summary: dict[str, Any]) -> str:
    """A dataset's source in words: the file or repository, and its revision if it has one."""
    return summary["source"] + (f" ({summary['revision']})" if summary["revision"] else "")


def _row(name: str, summary: dict[str, Any]) -> dict[str, Any]:
    return {
        "dataset": name,
        "rows read": summary["rows_read"],
        "kept": summary["kept"],
        "not sampled": summary["not_sampled"],
        "rejected": sum(summary["rejected"].values()),
        "licence": summary["licence"],
        "origin": summary["origin"],
        "source": source(summary),
        "pinned": "pinned" if is_pinned(summary) else "unpinned",
        "sha256": (summary["sha256"] or "")[:16],
        "notes": ", ".join(f"{count} {what}" for what, count in summary["notes"].items()),
    }
