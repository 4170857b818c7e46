"""Examples: their columns, their ids, and reading them back in the order of a subset."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from instructmining.jobs.errors import InputError

EXAMPLE_SCHEMA = pl.Schema(
    {
        "id": pl.String,
        "instruction": pl.String,
        "input": pl.String,
        "output": pl.String,
        "dataset": pl.String,
        "row": pl.Int64,
    }
)
# one more column of benchmarks' items (`instructmining.data.item_formats`): JSON
DETAILS = "details"


def canonical(text: str) -> str:
    r"""The text with ``\r\n`` and ``\r`` as ``\n``, without leading and trailing whitespace. Idempotent."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def example_id(instruction: str, input: str, output: str) -> str:
    """First 20 hex digits (80 bits) of the SHA-256 of the three canonical texts.

    It depends on the content alone: a dataset added, reordered or repeated changes nobody else's id.
    Raises UnicodeEncodeError on lone surrogates: such rows are rejected before.
    """
    texts = (canonical(text) for text in (instruction, input, output))
    # The length before each text keeps ("ab", "c") and ("a", "bc") apart.
    joined = "".join(f"{len(text)}:{text}" for text in texts)
    return hashlib.sha256(joined.encode()).hexdigest()[:20]


def prompt_text(instruction: str, input: str) -> str:
    """Instruction and input joined by a newline; the instruction alone when the input is empty."""
    return f"{instruction}\n{input}" if input else instruction


def folded_prompt(instruction: str, input: str) -> str:
    """The prompt without differences of case and whitespace: two datasets are compared on this."""
    return " ".join(prompt_text(instruction, input).casefold().split())


def prompts_of(paths: Iterable[str | Path]) -> set[str]:
    """The folded prompts of several examples files."""
    return {
        folded_prompt(instruction, input)
        for path in paths
        for instruction, input in read_examples(path).select("instruction", "input").iter_rows()
    }


def item_texts(path: str | Path) -> list[list[str]]:
    """Everything that each item of one file says, aligned with ``read_examples(path)``: its prompt with its output.

    Where ``details`` hold several outputs it is the prompt with each of them, and the prompt alone where there is none.
    """
    examples = read_examples(path).select("instruction", "input", "output")
    held = DETAILS in pl.read_parquet_schema(path)
    details: Sequence[dict[str, Any]] = read_details(path) if held else [{}] * examples.height
    return [
        [f"{prompt_text(instruction, input)}\n{one}".rstrip("\n") for one in more.get("outputs", [output])]
        for (instruction, input, output), more in zip(examples.iter_rows(), details, strict=True)
    ]


def read_examples(path: str | Path, ids: Sequence[str] | None = None) -> pl.DataFrame:
    """Examples of one file (columns ``EXAMPLE_SCHEMA``): all in source order, or those of ``ids`` in their
    order, repeated where an id is.

    Raises InputError if the file is missing or is none of ours, or if an id is not in it.
    """
    frame = scan_examples(path)
    if ids is None:
        return frame.collect()
    wanted = pl.DataFrame({"id": ids}, schema={"id": pl.String})
    held = frame.join(wanted.lazy(), on="id", how="semi").collect(engine="streaming")
    found = wanted.join(held, on="id", how="left", maintain_order="left")
    missing = found.filter(pl.col("dataset").is_null())["id"]
    if len(missing):
        raise InputError(f"{path}: {len(missing)} of {len(wanted)} ids are not in it, first {missing[0]!r}")
    return found.select(EXAMPLE_SCHEMA.names())


def scan_examples(path: str | Path) -> pl.LazyFrame:
    """Examples of one file, unread, without details: what is asked of it decides which rows come into memory.

    Raises InputError if the file is missing or is none of ours.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: no such examples file")
    frame = pl.scan_parquet(path)
    found = frame.collect_schema()
    if found not in (EXAMPLE_SCHEMA, {**EXAMPLE_SCHEMA, DETAILS: pl.String()}):
        raise InputError(f"{path}: expected the columns {', '.join(EXAMPLE_SCHEMA)}, found {found.names()}")
    return frame.select(EXAMPLE_SCHEMA.names())


def read_details(path: str | Path) -> list[dict[str, Any]]:
    """What the items of a benchmark have beside their examples, aligned with ``read_examples(path)``.

    Raises InputError as that does, and where the file's format has no details.
    """
    scan_examples(path)
    frame = pl.read_parquet(path)
    if DETAILS not in frame.columns:
        formats = "ifeval, llmbar or questions"
        raise InputError(f"{path}: has no details: its dataset must have one of the formats {formats}")
    return [json.loads(one) for one in frame[DETAILS]]


def load_rows(subset: pl.DataFrame, template: str | Path) -> pl.DataFrame:
    """The examples (columns ``EXAMPLE_SCHEMA``) of a subset (columns ``id``, ``dataset``), in its order.

    ``template`` names the examples file of a dataset, as in ``results/datasets/{dataset}/examples.parquet``.
    Raises InputError as ``read_examples`` does.
    """
    numbered = subset.select("id", "dataset").with_row_index("position")
    parts = [EXAMPLE_SCHEMA.to_frame().with_columns(pl.lit(0, pl.UInt32).alias("position"))]
    for (dataset,), part in numbered.group_by("dataset", maintain_order=True):
        path = str(template).format(dataset=dataset)
        parts.append(read_examples(path, part["id"].to_list()).with_columns(part["position"]))
    return pl.concat(parts).sort("position").drop("position")
