"""Reading indicator files: results/indicators/{dataset}/{entry}/{shard}.parquet, only the columns asked for.

A file whose examples are of several datasets has a column ``dataset``: pools/{pool}/{entry}/… holds the values that
rank a pool, mixtures/{block}/{entry}/… those of a block of mixtures, one a mixture where it has a column ``mixture``.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from instructmining import scorers
from instructmining.jobs.errors import InputError
from instructmining.jobs.files import read_provenance

_KEYS = ("id", "dataset", "block", "mixture")


def dataset_table(
    dataset: str, examples: str | Path, shards: Sequence[str | Path], columns: Sequence[str]
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """All indicators of a dataset in one table.

    Args:
        dataset: its name.
        examples: a file with the ids of its examples.
        shards: the files of its indicators.
        columns: the indicators.

    Returns:
        ``id`` and the columns (float64, nullable), in the order of the examples, and the provenance: what each entry's
        files have in common, with counts over all of them.

    Raises:
        InputError: as ``attach`` does.
    """
    rows = pl.read_parquet(examples, columns=["id"]).with_columns(dataset=pl.lit(dataset))
    table = attach(rows, shards, columns).drop("dataset")
    origins, totals = provenance(shards), scorers.totals(shards)
    return table, {entry: {**origins[entry], **totals[entry]} for entry in origins}


def attach(examples: pl.DataFrame, paths: Iterable[str | Path], columns: Sequence[str]) -> pl.DataFrame:
    """``examples`` with the indicator ``columns`` (float64, nullable) of these files, same order.

    ``examples`` has ``id`` and ``dataset``, and those of mixtures ``block`` and ``mixture``. Rows of the files that are
    not among ``examples`` are passed over. InputError if no file has a column, or a file lacks it that another of its
    entry has, or an example has no row.
    """
    entries: dict[str, list[Path]] = {}
    for path in map(Path, paths):
        entries.setdefault(path.parent.name, []).append(path)
    table = examples
    for entry, files in sorted(entries.items()):
        if held := [column for column in columns if column in pl.read_parquet_schema(files[0])]:
            table = _joined(table, entry, pl.concat(_read(file, held) for file in sorted(files)))
    if missing := [column for column in columns if column not in table.columns]:
        raise InputError(f"results/indicators: no indicator {', '.join(missing)} in the files given")
    return table.select(*examples.columns, *(pl.col(column).cast(pl.Float64) for column in columns))


def provenance(paths: Iterable[str | Path]) -> dict[str, Any]:
    """entry -> what the provenance of its files has in common."""
    entries: dict[str, list[dict[str, Any]]] = {}
    for path in map(Path, paths):
        entries.setdefault(path.parent.name, []).append(read_provenance(path))
    return {entry: in_common(found) for entry, found in sorted(entries.items())}


def in_common(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The keys that all have, with the same value."""
    return {key: value for key, value in found[0].items() if all(key in f and f[key] == value for f in found)}


def _read(file: Path, columns: Sequence[str]) -> pl.DataFrame:
    """Keys and ``columns`` of one file; the dataset, or the block, is its folder's name where it has no such column."""
    schema, folder = pl.read_parquet_schema(file), file.parent.parent
    if absent := [column for column in columns if column not in schema]:
        raise InputError(f"{file}: no indicator {', '.join(absent)}, which others of its entry have")
    frame = pl.read_parquet(file, columns=[*(key for key in _KEYS if key in schema), *columns])
    if "dataset" not in schema:
        return frame.with_columns(pl.lit(folder.name).alias("dataset"))
    if folder.parent.name == "mixtures" and "mixture" not in schema:
        return frame.with_columns(pl.lit(folder.name).alias("block"))
    return frame


def _joined(examples: pl.DataFrame, entry: str, values: pl.DataFrame) -> pl.DataFrame:
    keys = [key for key in _KEYS if key in values.columns]
    absent = examples.join(values, on=keys, how="anti")
    if not absent.is_empty():
        first = absent.row(0, named=True)
        raise InputError(
            f"dataset {first['dataset']}: {absent.height} examples, {first['id']} first, have no row in the files of "
            f"indicator entry {entry}"
        )
    return examples.join(values, on=keys, how="left", maintain_order="left", validate="m:1")
