"""Reading indicator files: results/indicators/{dataset}/{entry}/{shard}.parquet, only the columns asked for."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from instructmining.errors import InputError
from instructmining.files import read_provenance


def read(paths: Iterable[str | Path], columns: Sequence[str]) -> pl.DataFrame:
    """Put shards of several datasets and entries together: ``id``, ``dataset``, ``columns`` (float64, nullable).

    Dataset and entry are the names of the file's folders. InputError if a dataset lacks a column, or two entries of
    a dataset do not hold the same ids.
    """
    entries: dict[str, dict[str, list[Path]]] = {}
    for path in map(Path, paths):
        entries.setdefault(path.parent.parent.name, {}).setdefault(path.parent.name, []).append(path)
    empty = pl.DataFrame(schema={"id": pl.String, "dataset": pl.String, **dict.fromkeys(columns, pl.Float64)})
    return pl.concat([empty, *(_dataset(dataset, files, columns) for dataset, files in entries.items())])


def attach(examples: pl.DataFrame, indicators: pl.DataFrame) -> pl.DataFrame:
    """``examples`` (``id``, ``dataset``) with their indicator columns, same order.

    InputError if an example has no row in ``indicators``.
    """
    keys = ["id", "dataset"]
    absent = examples.join(indicators, on=keys, how="anti")
    if not absent.is_empty():
        first = absent.row(0, named=True)
        raise InputError(
            f"dataset {first['dataset']}: {absent.height} examples, {first['id']} first, have no row in its "
            "indicator files"
        )
    return examples.join(indicators, on=keys, how="left", maintain_order="left")


def provenance(paths: Iterable[str | Path]) -> dict[str, Any]:
    """entry -> what the provenance of its files has in common."""
    entries: dict[str, list[dict[str, Any]]] = {}
    for path in map(Path, paths):
        entries.setdefault(path.parent.name, []).append(read_provenance(path))
    return {entry: in_common(found) for entry, found in sorted(entries.items())}


def in_common(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The keys that all have, with the same value."""
    return {key: value for key, value in found[0].items() if all(key in f and f[key] == value for f in found)}


def _dataset(dataset: str, entries: dict[str, list[Path]], columns: Sequence[str]) -> pl.DataFrame:
    table: pl.DataFrame | None = None
    for entry, files in sorted(entries.items()):
        held = [column for column in columns if column in pl.read_parquet_schema(files[0])]
        part = pl.concat([pl.read_parquet(file, columns=["id", *held]) for file in sorted(files)])
        joined = part if table is None else table.join(part, on="id", how="inner")
        if table is not None and not table.height == part.height == joined.height:
            raise InputError(f"results/indicators/{dataset}/{entry}: its ids differ from those of other indicators")
        table = joined
    missing = [column for column in columns if table is None or column not in table.columns]
    if table is None or missing:
        raise InputError(f"results/indicators/{dataset}: no indicator {', '.join(missing)} in the files given")
    return table.select("id", pl.lit(dataset).alias("dataset"), *(pl.col(c).cast(pl.Float64) for c in columns))
