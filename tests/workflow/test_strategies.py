"""Strategies with jobs of their own: cherry behind a run of the same DAG, deita behind its vectors."""

import json

import polars as pl
import pytest

from small import change, jobs, planned, rows, snakemake, write_rows

pytestmark = pytest.mark.workflow


def selecting(config):
    """Cherry and deita on the small study's pool, compared at one size."""
    states = {"model": "models/llama", "template": "alpaca_short", "max_length": 96}
    config["embeddings"] = {"prompts": {**states, "text": "prompt", "pooling": "mean"}, "texts": states}
    config["indicators"]["ifd"] = {
        **{"scorer": "causal", "run": {"recipe": "tiny", "strategy": "cherry_seed"}, "template": "alpaca_short"},
        **{"max_length": 96, "outputs": {"ifd": "ifd"}},
    }
    config["strategies"] |= {
        "cherry_seed": {"kind": "cherry_seed", "embeddings": "prompts", "clusters": 4, "per_cluster": 2},
        "cherry": {"kind": "cherry", "indicator": "ifd"},
        # any two columns will do
        "deita": {"kind": "deita", "threshold": 0.999, "embeddings": "texts"}
        | {"complexity": "perplexity", "quality": "output_length"},
    }
    config["comparisons"]["selecting"] = {
        **config["comparisons"]["main"],
        **{"strategies": ["cherry", "deita", "random"], "sizes": [5]},
    }


@pytest.fixture(scope="module")
def selected(study, tmp_path_factory):
    """The finished small study, to which the two strategies were added, and the jobs that this took."""
    import shutil

    folder = tmp_path_factory.mktemp("selecting") / "study"
    shutil.copytree(study, folder)
    change(folder, selecting)
    done = snakemake(folder)
    assert done.returncode == 0, done.stderr[-4000:]
    return folder, jobs(done.stdout + done.stderr)


def test_only_what_the_new_strategies_need_is_done(selected):
    _, ran = selected
    # the run behind cherry, a run each of cherry and deita, and two of random at the new size
    expected = {"embed": 4, "rank_by_embeddings": 2, "score_under_run": 2, "finetune": 5}
    assert {rule: ran.get(rule) for rule in expected} == expected
    assert not {"fit_quality_rule", "score", "score_on_cpu", "score_neighbours", "check_indicators"} & set(ran)


def test_cherry_is_scored_by_a_model_of_the_same_dag(selected):
    folder, _ = selected
    seed = pl.read_parquet(folder / "results/subsets/cherry_seed/unseen/all.parquet")
    assert 4 <= seed.height <= 8
    train = json.loads((folder / "results/runs/tiny/cherry_seed/unseen/all/train.json").read_text())
    assert train["subset"] == "cherry_seed/unseen/all"
    assert not (folder / "results/runs/tiny/cherry_seed/unseen/all/model").exists()
    parts = sorted((folder / "results/indicators/pools/unseen/ifd").glob("*.parquet"))
    assert [part.name for part in parts] == ["pool_a-000-of-001.parquet", "pool_b-000-of-001.parquet"]
    scores = pl.concat(pl.read_parquet(part) for part in parts)
    ranking = pl.read_parquet(folder / "results/rankings/cherry/unseen.parquet")
    assert ranking.height == scores.height == 48
    best = scores.filter(pl.col("ifd") <= 1).sort("ifd", descending=True)
    assert ranking.drop_nulls("score")["id"].to_list()[:3] == best["id"].to_list()[:3]


def test_deita_drops_what_is_like_what_it_keeps(selected):
    ranking = pl.read_parquet(selected[0] / "results/rankings/deita/unseen.parquet")
    kept = ranking.drop_nulls("score")
    assert 5 <= kept.height <= ranking.height
    assert kept["score"].is_sorted(descending=True)


def test_the_report_has_them_with_their_price(selected):
    folder, _ = selected
    table = pl.read_csv(folder / "results/tables/selecting.csv")
    assert set(table["strategy"]) == {"cherry", "deita"} and set(table["random_seeds"]) == {2}
    parts = pl.read_csv(folder / "results/tables/costs/selecting/parts.csv")
    assert "cherry" in set(parts["strategy"])


def test_a_dataset_added_to_the_pool_is_scored_by_the_new_pool_s_model(selected, tmp_path):
    """The run is trained on the pool: a grown pool is another, and all of it is scored anew; embeddings are not."""
    folder, _ = selected
    write_rows(folder / "data/pool_c.jsonl", rows("pool_c", 12, 20))

    def grow(config):
        config["datasets"]["pool_c"] = {"path": "data/pool_c.jsonl", "format": "alpaca"}
        config["pools"]["grown"] = ["pool_a", "pool_b", "pool_c"]
        config["comparisons"]["selecting"]["pools"] = ["grown"]

    change(folder, grow)
    found = planned(folder, "results/subsets/cherry/grown/5.parquet")
    assert {rule: found.get(rule) for rule in ("embed", "score_under_run", "finetune")} == {
        **{"embed": 1, "score_under_run": 3, "finetune": 1}
    }
