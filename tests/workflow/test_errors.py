"""What a user sees who made a mistake: one line that says where, before or in the job, and nothing lost."""

import pytest
import yaml

from small import ROOT, build, snakemake, write_config, write_rows

pytestmark = pytest.mark.workflow


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fresh")
    return folder, build(folder)


@pytest.mark.parametrize(
    ("keys", "value", "line"),
    [
        (("recipes", "tiny", "epoch"), 3, "recipes.tiny.epoch: unknown key; did you mean 'epochs'?"),
        (("pools", "unseen"), ["pool_a", "pool_bb"], "dataset 'pool_bb' is not in datasets; did you mean 'pool_b'?"),
        (("searches", "main", "high"), 2, "searches.main"),
        (("mixtures",), [{"name": "base", "datasets": ["plain"], "count": 6, "size": 0}], "mixtures"),
    ],
)
def test_a_wrong_config_is_one_line_before_any_job(fresh, keys, value, line):
    folder, config = fresh
    changed = yaml.safe_load(yaml.safe_dump(config))
    inner = changed
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    write_config(folder, changed)
    done = snakemake(folder)
    write_config(folder, config)
    assert done.returncode != 0
    told = [text for text in (done.stdout + done.stderr).splitlines() if line in text]
    assert len(told) == 1 and told[0].startswith("config.yaml: "), done.stderr
    assert "Traceback" not in done.stderr
    assert not (folder / "results").exists()


def test_a_dataset_with_too_many_bad_rows_says_which_and_which_log(tmp_path):
    build(tmp_path)
    write_rows(
        tmp_path / "data/plain.jsonl", [{"instruction": f"Say {i}", "input": "", "output": ""} for i in range(20)]
    )
    done = snakemake(tmp_path, "results/datasets/plain/examples.parquet", "results/datasets/long/examples.parquet")
    assert done.returncode != 0
    shown = done.stdout + done.stderr
    assert "error: data/plain.jsonl" in shown and "empty_output" in shown
    assert "logs/read_dataset/plain.log" in shown
    assert (tmp_path / "results/datasets/long/examples.parquet").exists()


def test_a_file_that_is_not_there_plans_and_fails_in_its_job(tmp_path):
    build(tmp_path)
    (tmp_path / "data/plain.jsonl").unlink()
    assert snakemake(tmp_path, "--dry-run").returncode == 0
    done = snakemake(tmp_path, "results/datasets/plain/examples.parquet")
    assert done.returncode != 0
    assert "error: data/plain.jsonl: no such file" in done.stdout + done.stderr


def test_a_subset_larger_than_its_pool_names_both(tmp_path):
    config = build(tmp_path)
    config["comparisons"]["main"]["sizes"] = [500]
    write_config(tmp_path, config)
    done = snakemake(tmp_path, "results/subsets/random-0/unseen/500.parquet")
    assert done.returncode != 0
    assert "48 rankable examples, subset asks 500" in done.stdout + done.stderr


def test_the_paper_plans_without_a_hub(tmp_path):
    done = snakemake(tmp_path, "--dry-run", "--quiet", "rules", config=str(ROOT / "config/paper.yaml"))
    assert done.returncode == 0, done.stderr[-3000:]
    assert "fit_quality_rule" in done.stdout


def test_a_config_of_observations_alone_fits_their_rule(tmp_path):
    observations = "\n".join(["reward,mtld,loss", *(f"{i % 5},{(i * 7) % 11},{1 + 0.1 * (i % 5)}" for i in range(20))])
    (tmp_path / "table.csv").write_text(observations + "\n")
    write_config(tmp_path, {"quality_rules": {"from_table": {"observations": "table.csv", "indicators": ["reward"]}}})
    done = snakemake(tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    assert (tmp_path / "results/report.html").exists()
