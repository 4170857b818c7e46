"""Seconds and memory of planning a study: the InstructMining experiment as published, and with millions of pool rows.

    PYTHONPATH=src python benchmarks/plan.py

The number of rows does not change a plan, the number of shards does. The large studies are config/paper.yaml with all
4.2 million rows of OpenOrca in place of 100,000, ranked by the paper's four indicators or by all nine, in shards of
about --shard-rows rows. Peak memory is that of Snakemake and every process it starts, together.
"""

import argparse
import copy
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import yaml

from data import machine_line

ROOT = Path(__file__).parents[1]
# rows of the two parts of OpenOrca
OPENORCA = {"orca_gpt3_5": 3_239_027, "orca_gpt4": 994_896}
Config = dict[str, Any]


def as_published(config: Config, shard_rows: int) -> Config:
    return config


def whole_openorca(config: Config, shard_rows: int) -> Config:
    for dataset, rows in OPENORCA.items():
        config["datasets"][dataset] |= {"limit": None, "shards": -(-rows // shard_rows)}
    return config


def all_indicators(config: Config, shard_rows: int) -> Config:
    config["strategies"]["instructmining"]["quality_rule"] = "fitted"
    return whole_openorca(config, shard_rows)


STUDIES: dict[str, Callable[[Config, int], Config]] = {
    "paper.yaml": as_published,
    "4.2 M rows, four indicators": whole_openorca,
    "4.2 M rows, nine indicators": all_indicators,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=ROOT / "config/paper.yaml")
    parser.add_argument("--shard-rows", type=int, default=4000)
    parser.add_argument("--repeats", type=int, default=3, help="the median counts")
    parser.add_argument("--studies", nargs="+", choices=STUDIES, default=list(STUDIES))
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="write the configs there")
    options = parser.parse_args()
    published = yaml.safe_load(options.config.read_text(encoding="utf-8"))
    print(machine_line())
    print("| study | jobs | score | embed | finetune | evaluate | files made | s | processor s | peak MB |")
    print("|---|" + "---|" * 9, flush=True)
    with tempfile.TemporaryDirectory() as name:
        for study in options.studies:
            folder = Path(options.keep or name)
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"{re.sub(r'[^a-z0-9]+', '-', study)}.yaml"
            config = STUDIES[study](copy.deepcopy(published), options.shard_rows)
            path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
            plans = [plan(path, Path(name)) for _ in range(options.repeats)]
            seconds, busy, peak, jobs, files = sorted(plans, key=lambda found: found[0])[len(plans) // 2]
            kinds = (jobs["score"], jobs["embed"], jobs["finetune"] + jobs["finetune_kept"], jobs["evaluate_loss"])
            counts = " | ".join(f"{count:,}" for count in (jobs["total"], *kinds, files))
            print(f"| {study} | {counts} | {seconds:.1f} | {busy:.1f} | {peak:.0f} |", flush=True)


def plan(config: Path, folder: Path) -> tuple[float, float, float, Counter[str], int]:
    """Of one dry run: seconds of the wall and of processors, peak MB, jobs by rule (and ``total``), files."""
    command = [sys.executable, "-m", "snakemake", "-n", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--configfile", str(config), "--directory", str(folder), "--cores", "1"]
    with tempfile.TemporaryFile("w+") as output:
        start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, "COLUMNS": "1000"}
        )
        peak = 0.0
        while process.poll() is None:
            peak = max(peak, tree_memory(process.pid))
            time.sleep(0.05)
        seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
        output.seek(0)
        text = output.read()
    if process.returncode:
        raise SystemExit(text[-2000:])
    _, _, stats = text.rpartition("Job stats:")
    jobs = Counter({rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", stats, re.MULTILINE)})
    files = sum(line.count(",") + 1 for line in re.findall(r"^    output: (.*)$", text, re.MULTILINE))
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, busy, peak / 1e6, jobs, files


def tree_memory(pid: int) -> float:
    """Bytes in memory of a process and all below it."""
    try:
        process = psutil.Process(pid)
        parts = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    total = 0.0
    for part in parts:
        try:
            total += part.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


if __name__ == "__main__":
    main()
