"""Files of a study, and what Snakemake would have on record about the jobs that made them."""

import hashlib
import json
import shutil
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml

from instructmining import config
from instructmining.jobs.files import sha256, write_json, write_parquet, write_seconds, write_text

ROOT = Path(__file__).parents[2]
# with what its jobs ran: finetunings elsewhere, and with another polars
SOFTWARE = {"version": "0.1.0", "commit": "c0ffee" * 6 + "c0de", "dirty": False, "sources": "ab" * 32}
SOFTWARE |= {"python": "3.11.7", "packages": {"numpy": "2.4.6", "polars": "2.0.0"}}
MACHINE = {"processor": "A processor", "cores": 4, "memory_gib": 16, "gpus": {}, "system": "Linux x86_64"}
HERE = {"software": SOFTWARE, "machine": MACHINE}
NODE = {
    "software": {**SOFTWARE, "dirty": True, "packages": {"numpy": "2.4.6", "polars": "2.1.0"}},
    "machine": {**MACHINE, "cores": 64, "memory_gib": 512, "gpus": {"NVIDIA H200": 8}},
}


class Builder:
    """Writes files below ``root`` and what Snakemake would have on record about the jobs that made them."""

    def __init__(self, root: Path, text: str) -> None:
        self.root, self.made = root, list[str]()
        self.gone = ["results/runs/small/mixtures/base-000/model"]
        for name in ("pyproject.toml", "requirements.lock", "CITATION.cff"):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, root / name)
        write_text(root / "config.yaml", text)
        self.config = config.load_defaults_and_check(yaml.safe_load(text), "config.yaml")

    def path(self, name: str) -> Path:
        return self.root / "results" / name

    def job(self, job: str, inputs: list[str], *outputs: str, params: tuple[str, ...] = ()) -> None:
        """A record for each output; names are relative to results."""
        named = [f"results/{name}" if (self.root / "results" / name).exists() else name for name in inputs]
        files = [name for name in named if (self.root / name).is_file()]
        write_seconds(self.path(f"costs/{job}.tsv"), 12.0 + len(job))
        record = {
            "rule": job.split("/")[0],
            "input": named,
            "log": [f"logs/{job}.log"],
            "params": list(params),
            "record_format_version": 6,
            "starttime": 1.7e9,
            "endtime": 1.7e9 + 12,
            "input_checksums": {name: f"sha256:{sha256(self.root / name)}" for name in files},
        }
        self.ran_with(job, NODE if record["rule"] == "finetune" else HERE)
        for output in outputs:
            name = urlsafe_b64encode(f"results/{output}".encode()).decode()
            write_text(self.root / ".snakemake/metadata" / name, json.dumps(record))
            self.made.append(f"results/{output}")

    def ran_with(self, job: str, surroundings: dict[str, Any], started: float = 1.7e9) -> str:
        """What a job writes of itself as it begins; the name of its surroundings."""
        text = json.dumps(surroundings)
        digest = hashlib.sha256(text.encode()).hexdigest()
        write_text(self.path(f"surroundings/{digest}.json"), text)
        write_json(self.path(f"jobs/{job}.json"), {"surroundings": digest, "started": started})
        return digest

    def summary(self) -> Path:
        rows = ["output_file\tdate\trule\tlog-file(s)\tstatus\tplan"]
        rows += [f"{name}\tThu Jan  1\tsome\tlogs/x.log\tok\tno update" for name in self.made]
        rows += [f"{name}\t-\tsome\t-\tremoved temp file\tno update" for name in self.gone]
        write_text(self.root / "summary.tsv", "\n".join(rows) + "\n")
        return self.root / "summary.tsv"

    def run(self, subset: str, loss: float) -> str:
        """A run on a subset and its evaluation; the name of that."""
        rows = pl.read_parquet(self.path(f"subsets/{subset}.parquet")).height
        train = {"recipe": "small", "subset": subset, "examples": rows, "tokens": 90 * rows, "seconds": {"train": 9.0}}
        write_json(self.path(f"runs/small/{subset}/train.json"), train)
        self.job(f"finetune/small/{subset}", [f"subsets/{subset}.parquet"], f"runs/small/{subset}/train.json")
        draw = np.random.default_rng(len(subset))
        tokens = draw.integers(20, 90, 10)
        nll = tokens * (loss + draw.normal(0, 0.1, 10))
        ids = pl.read_parquet(self.path("datasets/held_out/examples.parquet"))["id"].head(10)
        items = pl.DataFrame({"id": ids, "nll": nll, "tokens": tokens})
        items = items.with_columns(value=pl.col("nll") / pl.col("tokens"), weight=pl.col("tokens").cast(pl.Float64))
        figures = {"value": nll.sum() / tokens.sum(), "n_used": 10, "n_expected": 10, "unit": "nats per response token"}
        figures |= {"direction": "lower_is_better", "tokens": int(tokens.sum()), "truncated": 0, "provenance": {}}
        name = f"evaluations/small/{subset}/held_out"
        write_json(self.path(f"{name}.json"), figures)
        write_parquet(items, self.path(f"{name}.items.parquet"), {})
        made_from = ["datasets/held_out/examples.parquet", f"results/runs/small/{subset}/model"]
        outputs = (f"{name}.json", f"{name}.items.parquet")
        self.job(f"evaluate_loss/small/{subset}/held_out", made_from, *outputs, params=("2", "{'device': 'cpu'}"))
        return f"{name}.json"
