"""A scorer, a strategy, a kind of benchmark, a launcher: one file each, added to a copy of the checkout and used."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import yaml

from instructmining.jobs.files import read_provenance
from small import RECIPE, rows, write_rows
from tiny import tiny_llama

ROOT = Path(__file__).parents[2]

SCORER = '''"""How often a letter stands in the response."""

import polars as pl

from instructmining.settings import REQUIRED, Output, Scorer, text

SPEC = Scorer(
    version=3,
    outputs={"count": Output("letters", "higher is more", "how often the letter stands in the response")},
    settings={"sought_letter": text(REQUIRED, "the letter")},
)


def score(parts, settings):
    for part in parts:
        counts = part["output"].str.count_matches(settings["sought_letter"], literal=True).cast(pl.Float64)
        yield part.select("id").with_columns(
            counts.alias("count"), truncated=pl.lit(False), reason=pl.lit(None, pl.String)
        )
'''

STRATEGY = '''"""The fewest of something first."""

from instructmining.selection.rankings import ranked
from instructmining.settings import COLUMN, Strategy

SPEC = Strategy(
    version=5,
    meaning="the fewest first",
    settings={"rare_thing": COLUMN.but(meaning="what there should be little of")},
    columns=["rare_thing"],
)


def rank(examples, settings):
    return ranked(examples, examples[settings["rare_thing"]], descending=False)
'''


BENCHMARK = '''"""The share of responses that are long."""

from pathlib import Path

import polars as pl

from instructmining.settings import BENCHMARK_DATASET, Benchmark, whole

SPEC = Benchmark(
    version=7,
    meaning="long responses",
    value="share of responses with more words than that",
    needs="a dataset with responses",
    direction="higher_is_better",
    settings={"dataset": BENCHMARK_DATASET, "words_at_least": whole(3, "how many words are many", minimum=1)},
)


def evaluate(job, settings):
    assert (Path(job.model) / "config.json").exists()
    rows = pl.read_parquet(job.examples)
    words = rows["output"].str.count_matches(" ") + 1
    items = rows.select("id").with_columns(
        value=(words >= settings["words_at_least"]).cast(pl.Float64), weight=pl.lit(1.0)
    )
    figures = {"value": items["value"].mean(), "n_used": rows.height, "n_expected": rows.height}
    return {**figures, "unit": "share", "direction": SPEC.direction}, items
'''

LAUNCHER = '''"""One process, under another name."""

from instructmining.settings import Launcher, whole

SPEC = Launcher(several_processes=False, settings={"patience_of_mine": whole(1, "a key of this launcher's own")})


def check_installed():
    """Nothing is needed."""


def deepspeed_config(recipe):
    return None


def weights_in_parts(recipe):
    return False
'''


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what Snakemake needs of the checkout, with one file more of each kind."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("src", "rules", "workflow", "envs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Snakefile", folder)
    package = folder / "src/instructmining"
    (package / "scorers/letters.py").write_text(SCORER)
    (package / "strategies/fewest.py").write_text(STRATEGY)
    (package / "evaluations/long_answers.py").write_text(BENCHMARK)
    (package / "training/launchers/mine.py").write_text(LAUNCHER)
    return folder


def study(folder: Path) -> None:
    tiny_llama(folder / "models/llama")
    write_rows(folder / "data/pool.jsonl", rows("pool", 12, 12))
    write_rows(folder / "data/test.jsonl", rows("test", 4, 12))
    config = {
        "datasets": {name: {"path": f"data/{name}.jsonl"} for name in ("pool", "test")},
        "pools": {"all": ["pool"]},
        "benchmarks": {"held_out": {"kind": "long_answers", "dataset": "test", "words_at_least": 12}},
        "recipes": {"small": {**RECIPE, "launcher": "mine", "patience_of_mine": 2}},
        "indicators": {"vowels": {"scorer": "letters", "sought_letter": "e"}},
        "strategies": {"few_vowels": {"kind": "fewest", "rare_thing": "vowels"}},
        "comparisons": {
            "first": {
                "pools": ["all"],
                "strategies": ["few_vowels"],
                "sizes": [4],
                "recipes": ["small"],
                "benchmarks": ["held_out"],
            }
        },
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))


def snakemake(checkout: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(checkout / "Snakefile"), "--cores", "2"]
    environment = {**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9"}
    environment.pop("PYTHONPATH", None)
    return subprocess.run(
        [*command, *arguments, "--configfile", "config.yaml"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.workflow
def test_one_file_each_is_enough(checkout: Path, tmp_path: Path) -> None:
    study(tmp_path)
    done = snakemake(checkout, tmp_path, "results/evaluations/small/few_vowels/all/4/held_out.json")
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    shard = tmp_path / "results/indicators/pool/vowels/000-of-001.parquet"
    known = read_provenance(shard)
    assert (known["scorer"], known["version"], known["settings"]) == ("letters", 3, {"sought_letter": "e"})
    ranking = tmp_path / "results/rankings/few_vowels/all.parquet"
    scores = pl.read_parquet(ranking)["score"].to_list()
    assert scores == sorted(pl.read_parquet(shard)["vowels"].to_list()) and len(set(scores)) > 2
    assert read_provenance(ranking)["strategy"] == {"kind": "fewest", "rare_thing": "vowels"}
    figures = json.loads((tmp_path / "results/evaluations/small/few_vowels/all/4/held_out.json").read_text())
    assert 0 < figures["value"] < 1 and figures["provenance"]["version"] == 7
    assert figures["provenance"]["words_at_least"] == 12
    trained = json.loads((tmp_path / "results/runs/small/few_vowels/all/4/train.json").read_text())
    assert trained["settings"]["launcher"] == "mine" and trained["settings"]["patience_of_mine"] == 2


def test_a_wrong_key_of_a_new_kind_is_one_line_that_names_it(checkout: Path, tmp_path: Path) -> None:
    study(tmp_path)
    config = yaml.safe_load((tmp_path / "config.yaml").read_text())
    config["strategies"]["few_vowels"]["rare_things"] = config["strategies"]["few_vowels"].pop("rare_thing")
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    done = snakemake(checkout, tmp_path, "--dry-run")
    assert done.returncode != 0
    assert "config.yaml: strategies.few_vowels: key 'rare_thing' missing" in done.stdout + done.stderr
