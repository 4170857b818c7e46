"""Benchmarks beside losses, added to a finished study: what they need is made, what they find is in the report.

IFEval needs NLTK's sentence model, which is a download: tests/test_evaluations_ifeval.py has it where it is installed.
"""

import json
import shutil

import polars as pl
import pytest

from small import change, jobs, planned, rows, snakemake, write_rows

pytestmark = pytest.mark.workflow

TASK = """
task: colours
dataset_path: json
dataset_kwargs: {data_files: {test: data/colours.jsonl}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{question}}"
doc_to_choice: "{{choices}}"
doc_to_target: answer
metric_list: [{metric: acc, aggregation: mean, higher_is_better: true}]
metadata: {version: 3}
"""
NAMES = ["judged", "judged_by_reference", "outputs", "colours"]
RUNS = {"instructmining/unseen/6", "random-0/unseen/6", "random-1/unseen/6"}


def measured(config):
    """Every kind but losses, on the runs of one size; what is trained on shares a prompt with one of them."""
    judge = {"backend": "local", "model": "models/llama", "max_length": 3000}
    asked = {"kind": "pairwise", "dataset": "questions", "prompt": "alpaca_eval", "judge": judge}
    asked |= {"generation": {"max_new_tokens": 6}, "min_share_used": 0.0}
    config["datasets"]["questions"] = {"path": "data/questions.jsonl", "format": "questions"}
    config["benchmarks"] |= {
        "judged": {**asked, "against": "random"},
        "judged_by_reference": asked,
        "outputs": {"kind": "llmbar", "path": "data/outputs.jsonl"},
        "colours": {"kind": "harness", "tasks": ["colours"], "include_path": "tasks"},
    }
    config["comparisons"]["measured"] = {
        **config["comparisons"]["main"],
        **{"strategies": ["instructmining", "random"], "sizes": [6], "benchmarks": NAMES, "keep_models": True},
    }


@pytest.fixture(scope="module")
def done(study, tmp_path_factory):
    """The finished small study, to which the benchmarks were added, and the jobs that this took."""
    folder = tmp_path_factory.mktemp("measured") / "study"
    shutil.copytree(study, folder)
    about = ("sky", "sea", "sun")
    questions = [{"instruction": f"Say something about the {one}", "output": one, "category": one} for one in about]
    pool = rows("pool_a", 24, 15)
    write_rows(folder / "data/questions.jsonl", [*questions, {**pool[0], "category": "known"}])
    pairs = [{"input": f"Name {one}", "output_1": one, "output_2": "no", "label": 1} for one in about]
    write_rows(folder / "data/outputs.jsonl", pairs)
    choices = [
        {"question": f"The {one} is", "choices": ["blue", "red"], "answer": i % 2} for i, one in enumerate(about)
    ]
    write_rows(folder / "data/colours.jsonl", choices)
    (folder / "tasks").mkdir()
    (folder / "tasks/colours.yaml").write_text(TASK)
    change(folder, measured)
    ran = snakemake(folder)
    assert ran.returncode == 0, ran.stderr[-4000:]
    return folder, jobs(ran.stdout + ran.stderr)


def found(folder, run, benchmark):
    path = folder / f"results/evaluations/tiny/{run}/{benchmark}.json"
    return json.loads(path.read_text()), pl.read_parquet(path.with_suffix(".items.parquet"))


def test_a_job_a_run_and_benchmark_and_answers_once(done):
    _, ran = done
    expected = {"evaluate_llmbar": 3, "evaluate_harness": 3, "evaluate_pairwise": 6, "generate": 3}
    # the runs' weights were temporary: they are made again, and their losses with them
    expected |= {"finetune_kept": 3, "evaluate_loss": 3}
    assert {rule: ran.get(rule) for rule in expected} == expected
    assert not {"finetune", "score", "fit_quality_rule", "rank_pool", "evaluate_ifeval"} & set(ran)
    assert planned(done[0]) == {}


@pytest.mark.parametrize("benchmark", NAMES)
def test_the_value_is_that_of_its_items(done, benchmark):
    for run in RUNS:
        figures, items = found(done[0], run, benchmark)
        used = items.drop_nulls("value")
        value = (used["value"] * used["weight"]).sum() / used["weight"].sum()
        assert figures["value"] == pytest.approx(value) and 0 <= value <= 1
        assert (figures["n_used"], figures["n_expected"]) == (used.height, items.height)
        assert figures["provenance"]["version"] and "seconds" not in figures


def test_a_random_run_meets_the_other_seed(done):
    folder, _ = done
    figures, items = found(folder, "random-0/unseen/6", "judged")
    other = pl.read_parquet(folder / "results/generations/tiny/random-1/unseen/6/judged.parquet")
    assert figures["provenance"]["runs"] == ["tiny/random-1/unseen/6"]
    assert items["response_other"].to_list() == other["response"].to_list()
    _, items = found(folder, "random-0/unseen/6", "judged_by_reference")
    assert items["response_other"].to_list()[:3] == ["sky", "sea", "sun"]


def test_the_task_s_version_is_recorded(done):
    figures, _ = found(done[0], "instructmining/unseen/6", "colours")
    assert figures["tasks"]["colours"]["version"] == "3"


def test_the_report_has_a_page_each_and_tells_what_is_shared(done):
    folder, _ = done
    for name in NAMES:
        assert (folder / f"results/figures/benchmarks/measured/{name}.html").exists()
    table = pl.read_csv(folder / "results/tables/runs/measured.csv")
    assert set(table["benchmark"]) == set(NAMES) and table.height == 3 * len(NAMES)
    shared = pl.read_csv(folder / "results/tables/contamination/measured.csv")
    subset = pl.read_parquet(folder / "results/subsets/random-0/unseen/6.parquet")
    pool = pl.read_parquet(folder / "results/datasets/pool_a/examples.parquet")
    known = pool.filter(pl.col("instruction") == "Say something about pool_a number 0")["id"][0]
    row = shared.filter(subset="random-0/unseen/6", benchmark="judged").row(0, named=True)
    assert row["exact"] == (known in subset["id"])


def test_a_changed_task_file_is_measured_again_and_nothing_else(done, tmp_path):
    folder = tmp_path / "study"
    shutil.copytree(done[0], folder)
    task = folder / "tasks/colours.yaml"
    task.write_text(task.read_text().replace("version: 3", "version: 4"))
    again = planned(folder)
    assert again["evaluate_harness"] == 3
    assert all(rule == "evaluate_harness" or rule.startswith("report_") for rule in again)
