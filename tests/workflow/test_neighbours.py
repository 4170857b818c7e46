"""Indicators by neighbours with a pool or a mixture as reference: from the embeddings there are, where needed."""

import json
import shutil

import numpy as np
import polars as pl
import pytest

from instructmining.jobs.files import read_provenance
from small import change, planned, rows, snakemake, write_rows

pytestmark = pytest.mark.workflow
RANKING = "results/rankings/near/unseen.parquet"
ADDED = {
    "knn_pool": {"scorer": "knn", "model": "models/embedder/model", "i": 1, "reference": "pool"},
    "near": {"scorer": "knn", "model": "models/embedder/model", "i": 2, "reference": "mixture", "reference_size": 8},
}


def add(config):
    config["indicators"].update(ADDED)
    fitted = config["quality_rules"]["fitted"]
    fitted["candidates"] = ["output_length", "knn_2", "perplexity", "reward"]
    config["quality_rules"]["near"] = {
        **{key: fitted[key] for key in ("mixtures", "recipe", "loss", "bootstrap")},
        "indicators": ["knn_pool", "near"],
    }
    config["strategies"]["near"] = {"kind": "quality_rule", "quality_rule": "near"}


@pytest.fixture(scope="module")
def ranked(study, tmp_path_factory):
    """The small study, with a rule by neighbours in the pool and in mixtures, and its ranking."""
    folder = tmp_path_factory.mktemp("neighbours") / "study"
    shutil.copytree(study, folder)
    change(folder, add)
    # the embeddings of another entry with this model are there, and nothing else is computed
    assert planned(folder, RANKING) == {"score_neighbours": 4, "fit_quality_rule": 1, "rank_pool": 1}
    done = snakemake(folder, RANKING)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.fixture
def copy(ranked, tmp_path):
    folder = tmp_path / "study"
    shutil.copytree(ranked, folder)
    return folder


def vectors(folder, datasets):
    paths = [folder / f"results/embeddings/{dataset}/knn_2/000-of-001.parquet" for dataset in datasets]
    return dict(pl.concat(pl.read_parquet(path) for path in paths).select("id", "vector").iter_rows())


def ith_distance(example, others, known, i):
    own = np.array(known[example], dtype=float)
    return sorted(np.linalg.norm(own - np.array(known[other], dtype=float)) for other in others if other != example)[
        i - 1
    ]


def test_distances_are_those_to_the_reference_and_make_the_rule_and_the_ranking(ranked):
    known = vectors(ranked, ["plain", "long"])
    inside = pl.read_parquet(ranked / "results/indicators/mixtures/base/near/000-of-001.parquet")
    among = pl.read_parquet(ranked / "results/indicators/mixtures/base/knn_pool/000-of-001.parquet")
    observed = pl.read_csv(ranked / "results/quality_rules/near/observations.csv")
    for name, mean_pool, mean_near in observed.select("mixture", "knn_pool", "near").iter_rows():
        members = pl.read_parquet(ranked / f"results/subsets/mixtures/{name}.parquet")["id"].to_list()
        expected = {example: ith_distance(example, members, known, 2) for example in members}
        found = dict(inside.filter(mixture=name).select("id", "near").iter_rows())
        assert found == pytest.approx(expected, rel=1e-9)
        assert mean_near == pytest.approx(np.mean(list(expected.values())), rel=1e-9)
        pool = [ith_distance(example, known, known, 1) for example in members]
        assert mean_pool == pytest.approx(np.mean(pool), rel=1e-9)
    assert among.columns == ["id", "dataset", "knn_pool", "truncated", "reason"]
    assert set(among["id"]) == set(known)

    known = vectors(ranked, ["pool_a", "pool_b"])
    files = {name: ranked / f"results/indicators/pools/unseen/{name}/000-of-001.parquet" for name in ADDED}
    rule = json.loads((ranked / "results/quality_rules/near.json").read_text())["coefficients"]
    values = {name: dict(pl.read_parquet(path).select("id", name).iter_rows()) for name, path in files.items()}
    for example, score in pl.read_parquet(ranked / RANKING).select("id", "score").iter_rows():
        assert values["knn_pool"][example] == pytest.approx(ith_distance(example, known, known, 1), rel=1e-9)
        predicted = rule["intercept"] + sum(rule[name] * values[name][example] for name in ADDED)
        assert score == pytest.approx(predicted, rel=1e-9)
    origin = read_provenance(files["near"])
    assert origin["neighbours"] == {"method": "exact"}
    assert origin["settings"]["reference"] == "mixture" and origin["settings"]["reference_size"] == 8


def test_a_grown_pool_is_compared_anew_and_only_the_new_dataset_is_embedded(copy):
    write_rows(copy / "data/pool_c.jsonl", rows("pool_c", 10, 2))

    def edit(config):
        config["datasets"]["pool_c"] = {"path": "data/pool_c.jsonl", "format": "alpaca"}
        config["pools"]["unseen"].append("pool_c")

    change(copy, edit)
    plan = planned(copy, RANKING)
    assert plan == {"read_dataset": 1, "embed": 1, "score_neighbours": 2, "rank_pool": 1}


def test_a_rule_of_two_indicators_has_only_their_entries_computed(copy):
    write_rows(copy / "data/pool_c.jsonl", rows("pool_c", 10, 2))

    def edit(config):
        config["datasets"]["pool_c"] = {"path": "data/pool_c.jsonl", "format": "alpaca", "shards": 2}
        config["pools"]["other"] = ["pool_c"]
        config["quality_rules"]["fitted"]["indicators"] = ["output_length", "knn_pool"]
        del config["quality_rules"]["fitted"]["candidates"]

    change(copy, edit)
    plan = planned(copy, "results/rankings/instructmining/other.parquet")
    # no perplexity, no reward, and no neighbours save the pool's
    new = {
        "read_dataset": 1,
        "score_on_cpu": 2,
        "embed": 2,
        "score_neighbours": 1,
        "fit_quality_rule": 1,
        "rank_pool": 1,
    }
    assert plan == new


def test_another_neighbour_embeds_nothing_and_leaves_what_does_not_depend_on_it(copy):
    change(copy, lambda config: config["indicators"]["knn_pool"].update(i=3))
    assert planned(copy, RANKING) == {"score_neighbours": 2, "fit_quality_rule": 1, "rank_pool": 1}


def test_another_reference_leaves_the_files_of_the_datasets(copy):
    change(copy, lambda config: config["indicators"]["knn_2"].update(reference="pool"))
    assert planned(copy, "results/indicators/pool_a.parquet", "results/indicator_check.json") == {
        # the two new entries have not been checked
        **{"score_neighbours": 4, "check_indicators": 1}
    }
