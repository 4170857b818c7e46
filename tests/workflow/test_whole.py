"""The whole DAG on the small study: what comes out, that it is done once, and that it comes out the same."""

import json
from pathlib import Path

import polars as pl
import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from small import build, jobs, snakemake

pytestmark = pytest.mark.workflow
FINAL = "results/runs/tiny/instructmining/unseen/best-main"


def read(path):
    return json.loads(path.read_text())


def test_the_contract_s_artifacts_are_there(study):
    for path in [
        "datasets/plain/examples.parquet",
        "datasets/plain/rejected.jsonl",
        "datasets/plain/summary.json",
        "indicators/pool_a/causal/000-of-001.parquet",
        "embeddings/pool_a/knn_2/000-of-001.parquet",
        "indicators/pool_a/knn_2/000-of-001.parquet",
        "indicators/pool_a.parquet",
        "indicator_check.json",
        "preference_heads/causal.json",
        "quality_rules/fitted.json",
        "quality_rules/fitted/observations.csv",
        "quality_rules/fitted/all_subsets.csv",
        "rankings/instructmining/unseen.parquet",
        "rankings/random-1/unseen.parquet",
        "subsets/mixtures/base-005.parquet",
        "subsets/random-0/unseen/6.parquet",
        "subsets/full/unseen/all.parquet",
        "runs/tiny/mixtures/base-000/train.json",
        "evaluations/tiny/longest/unseen/6/test_loss.json",
        "evaluations/tiny/longest/unseen/6/test_loss.items.parquet",
        "searches/main/trials/001.json",
        "searches/main.json",
        "tables/main.csv",
        "tables/overlaps/main.csv",
        "tables/agreement/benchmarks.csv",
        "figures/overlaps/main.html",
        "figures/agreement.html",
        "figures/summary.html",
        "costs/finetune/tiny/mixtures/base-000.tsv",
        "report.html",
    ]:
        assert (study / "results" / path).exists(), path


def test_weights_are_temporary_save_for_the_final_run(study):
    folders = {str(path.relative_to(study)) for path in (study / "results/runs").rglob("model") if path.is_dir()}
    assert folders == {f"{FINAL}/model"}
    assert not list((study / "results/.work").rglob("*.safetensors"))


def test_the_final_model_generates_and_its_subset_loads(study):
    import datasets

    model = AutoModelForCausalLM.from_pretrained(study / FINAL / "model")
    tokenizer = AutoTokenizer.from_pretrained(study / FINAL / "model")
    ids = model.generate(**tokenizer("Say something", return_tensors="pt"), max_new_tokens=4, do_sample=False)
    assert ids.shape[1] > 2
    size = read(study / "results/searches/main.json")["best_size"]
    rows = datasets.load_dataset("json", data_files=str(study / FINAL / "subset.jsonl"), cache_dir=str(study / "cache"))
    assert rows["train"].num_rows == pl.read_parquet(study / FINAL / "subset.parquet").height == size
    assert f"first {size} examples" in (study / FINAL / "README.md").read_text()


def test_the_walk_back_from_the_best_example_to_its_source_row(study):
    best = pl.read_parquet(study / "results/rankings/instructmining/unseen.parquet").row(0, named=True)
    assert best["rank"] == 0
    examples = pl.read_parquet(study / f"results/datasets/{best['dataset']}/examples.parquet")
    example = examples.row(by_predicate=pl.col("id") == best["id"], named=True)
    source = (study / f"data/{best['dataset']}.jsonl").read_text().splitlines()
    assert json.loads(source[example["row"]])["output"] == example["output"]
    [column] = [c for c in read(study / "results/quality_rules/fitted.json")["coefficients"] if c != "intercept"]
    indicators = pl.read_parquet(study / f"results/indicators/{best['dataset']}.parquet")
    value = indicators.row(by_predicate=pl.col("id") == best["id"], named=True)[column]
    coefficients = read(study / "results/quality_rules/fitted.json")["coefficients"]
    assert best["score"] == pytest.approx(coefficients["intercept"] + coefficients[column] * value)


def test_the_report_holds_every_page(study):
    html = (study / "results/report.html").read_text()
    for category in (
        *("1 Summary", "2 Comparison", "3 Benchmarks", "4 Search"),
        *("5 Quality rule", "6 Indicators", "7 Examples", "8 Data"),
    ):
        assert category in html
    assert html.count('contentPath: results["results/figures/summary.html"].data_uri') == 1  # what it opens on


def test_no_absolute_path_and_no_seconds_in_what_must_be_the_same_everywhere(study):
    for folder in ("quality_rules", "searches", "evaluations"):
        for path in (study / "results" / folder).rglob("*.json"):
            text = path.read_text()
            assert str(study) not in text and "seconds" not in text, path


def test_a_second_run_does_nothing(study):
    done = snakemake(study, "--dry-run")
    assert "Nothing to be done" in done.stdout + done.stderr, done.stdout[-2000:]
    assert jobs(done.stdout) == {}


def test_another_folder_gives_the_same_bytes(study, tmp_path):
    """Ids, sampling, training and search are deterministic: rankings, subsets and rules do not depend on the place."""
    build(tmp_path)
    targets = ["results/subsets/instructmining/unseen/best-main.parquet", "results/subsets/random-1/unseen/6.parquet"]
    done = snakemake(tmp_path, *targets)
    assert done.returncode == 0, done.stderr[-3000:]
    found = [
        path.relative_to(tmp_path)
        for folder in (
            "rankings",
            "subsets",
            "quality_rules",
            "searches",
            "embeddings",
            "indicators",
            "preference_heads",
        )
        for path in sorted(Path(tmp_path / "results" / folder).rglob("*.*"))
        if path.is_file() and not path.name.startswith(".")
    ]
    assert len(found) > 25
    different = [str(path) for path in found if (tmp_path / path).read_bytes() != (study / path).read_bytes()]
    assert different == []
