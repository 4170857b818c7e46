"""Run a scorer over one shard, in parts and on every GPU of the job.

Parts keep the memory independent of the number of rows. If ``settings["work"]`` is given, scored parts are kept there
about every minute, and a later job with the same rows and settings continues from them.

For several GPUs this module starts itself once per GPU, with consecutive rows of the shard. It does not use a process
pool: every worker of a pool would import the caller's main module again, which under Snakemake is the job itself.
"""

import hashlib
import importlib
import json
import logging
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl

from instructmining import scorers
from instructmining.data.examples import scan_examples
from instructmining.jobs import disk
from instructmining.jobs.errors import InputError
from instructmining.jobs.files import stamp, write_parquet
from instructmining.settings import entry_fields, versions
from instructmining.settings.discovery import spec_of
from instructmining.settings.params import completed

# rows read, tokenised and scored at a time: enough of them that batches sorted by length need little padding
_ROWS_AT_ONCE = 1024
_SECONDS_BETWEEN_FILES = 60.0
# tokenised examples, which entries with the same model share
_TOKEN_CACHE = "results/.work/tokens"
_log = logging.getLogger(__name__)


def scored_shard(
    examples: str | Path, settings: dict[str, Any], names: Mapping[str, str], gpus: int, where: str
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """One shard of a dataset, scored with one indicator entry, and the provenance of its values.

    Args:
        examples: the dataset's file.
        settings: the entry's, with ``batch_tokens``, ``work``, and how its judge is called.
        names: ``shard`` (as 000-of-004) and ``dataset``. With ``pool`` the values are the pool's: each row names its
            dataset, since the file's folder does not.
        gpus: processes that score at once, each on its own GPU; 0: one process on the CPU.
        where: the name of the file that is made, for errors.

    Raises:
        InputError: the scorer cannot score these examples, or its values are those of a broken one.
    """
    frame = score(examples, names["shard"], {**settings, "token_cache": _TOKEN_CACHE}, max(1, gpus))
    if "pool" in names:
        frame = frame.with_columns(pl.lit(names["dataset"]).alias("dataset"))
    counts = scorers.check(frame, settings["outputs"].values(), where)
    return frame, scorers.provenance(settings, counts)


def embedded_shard(
    examples: str | Path, shard: str, settings: dict[str, Any], speed: dict[str, Any], gpus: int, version: int
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """The vectors of one shard of a dataset, and their provenance.

    ``settings``: what the vectors depend on; ``speed``: ``batch_tokens`` and ``work``, which change none of them.
    ``gpus`` as in ``scored_shard``. Raises InputError for a shard that cannot be.
    """
    frame = embed(examples, shard, {**settings, **speed}, max(1, gpus))
    return frame, embedded(frame, settings, version)


def score(examples: str | Path, shard: str, settings: dict[str, Any], gpus: int = 1) -> pl.DataFrame:
    """Score one shard of an examples file.

    Args:
        examples: the examples.parquet file; only the rows of the shard are read.
        shard: ``i-of-n``, as in 000-of-004.
        settings: what the scorer reads, see `instructmining.scorers`.
        gpus: how many processes score, each on a GPU of its own; 1 scores in this process, on any device.

    Returns:
        ``id``, one column per output under its name in the config, ``truncated`` and ``reason``.

    Raises:
        InputError: the scorer compares examples, there is no such shard, or the scorer refuses its input.
    """
    name = settings["scorer"]
    if scorers.compares_examples(name):
        raise InputError(f"scorer {name} compares examples by their embeddings: it scores no shard of them")
    every = completed(entry_fields(spec_of("scorers", name, "scorer")), settings)
    frame = _run(examples, shard, f"instructmining.scorers.{name}", every, gpus)
    columns = [pl.col(output).cast(pl.Float64).alias(to) for output, to in settings["outputs"].items()]
    return frame.select("id", *columns, "truncated", pl.col("reason").cast(pl.String))


def embed(examples: str | Path, shard: str, settings: dict[str, Any], gpus: int = 1) -> pl.DataFrame:
    """Embed one shard of an examples file: the columns of `instructmining.models.embeddings`.

    Raises:
        InputError: there is no such shard, or the model refuses its input.
    """
    module = "hidden_embeddings" if "pooling" in settings else "embeddings"
    return _run(examples, shard, f"instructmining.models.{module}", settings, gpus)


def embedded(frame: pl.DataFrame, settings: dict[str, Any], version: int) -> dict[str, Any]:
    """What a shard's vectors depend on, and how many texts were cut or have no vector. It holds no path."""
    known = {key: value for key, value in settings.items() if key not in ("model_path", "model_record", "device")}
    counts = {"rows": frame.height, "truncated": int(frame["truncated"].sum()), "null": frame["vector"].null_count()}
    return {**settings["model_record"], "dtype": settings["precision"], "version": version, "settings": known, **counts}


def _run(examples: str | Path, shard: str, module: str, settings: dict[str, Any], gpus: int) -> pl.DataFrame:
    start, stop = shard_rows(scan_examples(examples).select(pl.len()).collect().item(), shard)
    request: dict[str, Any] = {"examples": str(examples), "module": module, "settings": settings}
    if gpus == 1:
        return score_rows(**request, start=start, stop=stop)
    borders = [start + part * (stop - start) // gpus for part in range(gpus + 1)]
    if "work" in settings:
        Path(settings["work"]).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.get("work")) as folder:
        requests = [
            {**request, "start": first, "stop": last, "target": f"{folder}/{part}"}
            for part, (first, last) in enumerate(pairwise(borders))
        ]
        _run_processes(requests)
        return pl.concat(pl.read_parquet(request["target"]) for request in requests)


def score_rows(examples: str | Path, module: str, settings: dict[str, Any], start: int, stop: int) -> pl.DataFrame:
    """Apply ``module.score`` to the rows from ``start`` to ``stop`` (exclusive), part after part, in this process."""
    frame = scan_examples(examples)
    work = settings.get("work")
    if work is None:
        return pl.concat(_parts(frame, module, settings, start, stop))
    folder = Path(work, _fingerprint(frame, module, settings, start, stop))
    kept, first = _kept(folder, start)
    if kept and first == stop:
        return pl.concat(kept)
    frames, unsaved, written = [*kept], list[pl.DataFrame](), time.monotonic()
    for part in _parts(frame, module, settings, first, stop):
        frames.append(part)
        unsaved.append(part)
        if time.monotonic() - written >= _SECONDS_BETWEEN_FILES:
            rows = sum(part.height for part in unsaved)
            write_parquet(pl.concat(unsaved), folder / f"{first}-{first + rows}.parquet")
            first, unsaved, written = first + rows, [], time.monotonic()
    return pl.concat(frames)


def _parts(frame: pl.LazyFrame, module: str, settings: dict[str, Any], start: int, stop: int) -> Iterator[pl.DataFrame]:
    firsts = range(start, max(stop, start + 1), _ROWS_AT_ONCE)
    parts = (frame.slice(first, min(_ROWS_AT_ONCE, stop - first)).collect() for first in firsts)
    scored: Iterator[pl.DataFrame] = importlib.import_module(module).score(parts, {**settings, "rows": stop - start})
    return scored


def _kept(folder: Path, start: int) -> tuple[list[pl.DataFrame], int]:
    """The consecutive parts from row ``start`` that an earlier job left, and the first row after these parts."""
    borders = [tuple(map(int, path.stem.split("-"))) for path in folder.glob("[0-9]*.parquet")]
    frames = []
    for first, stop in sorted(borders):
        if first == start:
            try:
                frames.append(pl.read_parquet(folder / f"{first}-{stop}.parquet"))
            except pl.exceptions.PolarsError:
                break  # a power failure leaves empty files
            start = stop
    if frames:
        _log.info("%d rows were scored by an earlier, interrupted job", sum(frame.height for frame in frames))
    return frames, start


def _fingerprint(frame: pl.LazyFrame, module: str, settings: dict[str, Any], start: int, stop: int) -> str:
    """A digest of what the scores depend on: rows, settings, code versions, and the files that the settings name."""
    version = versions.SCORERS.get(settings.get("scorer", "")) or versions.EMBEDDINGS[module.rpartition(".")[2]]
    known = {key: value for key, value in settings.items() if key not in ("work", "token_cache")}
    paths = {key: stamp(Path(value)) for key, value in known.items() if key.endswith("_path")}
    ids = frame.slice(start, stop - start).select("id").collect()["id"]
    what = json.dumps([module, version, known, paths, start, stop], sort_keys=True)
    return hashlib.sha256("".join([what, *ids]).encode()).hexdigest()[:20]


def shard_rows(rows: int, shard: str) -> tuple[int, int]:
    """First row, and the row after the last, of shard ``i-of-n``, with ``i`` from 0. Sizes differ by at most one row.

    Raises:
        InputError: ``shard`` is not of this form, or i is not below n.
    """
    match = re.fullmatch(r"(\d+)-of-(\d+)", shard)
    if not match or not int(match[1]) < int(match[2]):
        raise InputError(f"shard {shard!r}: expected i-of-n with i below n, as in 000-of-004")
    part, parts = int(match[1]), int(match[2])
    return part * rows // parts, (part + 1) * rows // parts


def _run_processes(requests: list[dict[str, Any]]) -> None:
    """Start one process per request, each with one GPU; if one process fails, the others are ended."""
    gpus = _visible_gpus(len(requests))
    processes: list[subprocess.Popen[str]] = []
    try:
        for gpu, request in zip(gpus, requests, strict=True):
            environment = {**os.environ, "CUDA_VISIBLE_DEVICES": gpu, "PYTHONPATH": os.pathsep.join(sys.path)}
            command = [sys.executable, "-m", __name__]
            process = subprocess.Popen(command, stdin=subprocess.PIPE, env=environment, text=True)
            processes.append(process)
            assert process.stdin is not None
            process.stdin.write(json.dumps(request))
            process.stdin.close()
        while any(process.poll() is None for process in processes):
            _check(processes, requests)
            time.sleep(0.1)
        _check(processes, requests)
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _check(processes: list[subprocess.Popen[str]], requests: list[dict[str, Any]]) -> None:
    for gpu, (process, request) in enumerate(zip(processes, requests, strict=True)):
        if process.poll():
            error_file = Path(request["target"] + ".error")
            if error_file.exists():
                raise InputError(error_file.read_text(encoding="utf-8"))
            raise RuntimeError(f"the process of GPU {gpu} ended with status {process.returncode}")


def _visible_gpus(count: int) -> list[str]:
    """The first ``count`` GPUs of this job, by the scheduler's names; by number where no scheduler has named them."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is None:
        return [str(place) for place in range(count)]
    known = [name for name in named.split(",") if name]
    if len(known) < count:
        raise InputError(f"{count} GPUs were asked for, and the job has {len(known)}")
    return known[:count]


def _main() -> None:
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    request = json.load(sys.stdin)
    target = request.pop("target")
    try:
        score_rows(**request).write_parquet(target)
    except Exception as error:
        refused = disk.refusal(error)
        if refused is None and not isinstance(error, InputError):
            raise
        message = disk.told(refused) if refused else str(error)
        Path(target + ".error").write_text(message, encoding="utf-8")
        sys.exit(1)


if __name__ == "__main__":
    _main()
