import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import datasets
import huggingface_hub
import lm_eval
import numpy as np
import polars as pl
import pytest
import torch
import yaml
from lm_eval.tasks import TaskManager

from harness_folder import MEAN, PLACES, hub_data, write_task, write_tasks
from instructmining.evaluations import HIGHER, harness_tasks
from instructmining.evaluations.harness import evaluate
from instructmining.evaluations.harness_model import RunModel
from instructmining.evaluations.harness_presets import PRESETS
from instructmining.evaluations.harness_tasks import load_parts
from instructmining.evaluations.job import EvaluationJob
from instructmining.jobs.errors import InputError
from instructmining.models.loading import load_causal_lm, load_tokenizer
from instructmining.models.prompts import render
from tiny import tiny_llama

ROOT = Path(__file__).parents[2]
ALL = ["choice", "blank", "cloze", "reply"]
SETTINGS = {
    **{"tasks": ALL, "few_shot": None, "include_path": None, "limit": None},
    **{"prompt": "none", "template": "alpaca", "batch_size": 4, "seed": 0, "max_length": None},
    **{"precision": "float32", "device": "cpu", "min_share_used": 1.0},
}


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    """The data cache of Hugging Face in a folder of the test's own."""
    kept, folder = datasets.config.HF_DATASETS_CACHE, tmp_path_factory.mktemp("cache")
    datasets.config.HF_DATASETS_CACHE = folder
    yield folder
    datasets.config.HF_DATASETS_CACHE = kept


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return str(tiny_llama(tmp_path_factory.mktemp("llama")))


@pytest.fixture(scope="module")
def folder(tmp_path_factory, model):
    return write_tasks(tmp_path_factory.mktemp("tasks"), model)


def run(model, settings):
    return evaluate(EvaluationJob(model=model), settings)


@pytest.fixture(scope="module")
def found(model, folder):
    """Every output type at once."""
    return run(model, {**SETTINGS, "include_path": folder})


def read(items, task):
    return items.filter(pl.col("subtask") == task)


def log_likelihood(model, context, continuation):
    """By a plain pass over one text in float64."""
    tokenizer, network = load_tokenizer(model), load_causal_lm(model).double()
    ids, start = tokenizer(context + continuation)["input_ids"], len(tokenizer(context.rstrip())["input_ids"])
    with torch.no_grad():
        logits = torch.log_softmax(network(torch.tensor([ids]), use_cache=False).logits[0], -1)
    places = range(start, len(ids))
    return sum(float(logits[i - 1, ids[i]]) for i in places), all(int(logits[i - 1].argmax()) == ids[i] for i in places)


def test_the_value_is_the_mean_of_the_tasks_and_of_the_weighted_items(found):
    figures, items = found
    assert figures["value"] == pytest.approx(np.mean([task["value"] for task in figures["tasks"].values()]), abs=1e-12)
    assert figures["value"] == pytest.approx((items["value"] * items["weight"]).sum() / items["weight"].sum())
    assert items["weight"].sum() == pytest.approx(1)
    assert figures["n_used"] == figures["n_expected"] == items.height == 6 + 3 * 9
    assert items["id"].is_unique().all()
    assert items["task"].unique(maintain_order=True).to_list() == ALL
    assert (figures["direction"], figures["truncated"]) == (HIGHER, 0)
    json.dumps(figures, allow_nan=False)


def test_each_task_says_what_it_was_measured_with(found):
    figures, items = found
    acc = read(items, "cloze")["value"]
    assert figures["tasks"]["cloze"] == {
        **{"value": acc.mean(), "stderr": pytest.approx(acc.std() / 3), "n": 9},
        **{"few_shot": 0, "metric": "acc", "version": "3"},  # perplexity is named first, and is no mean
    }
    variances = [figures["tasks"][task]["stderr"] ** 2 for task in ALL]
    assert figures["stderr"] == pytest.approx(np.sqrt(sum(variances)) / len(ALL))
    assert figures["harness"] == "0.4.13"


def test_multiple_choice_is_what_the_models_own_log_likelihoods_say(model, folder):
    settings = {**SETTINGS, "tasks": ["choice"], "few_shot": 2, "include_path": folder, "metric": "acc_norm"}
    figures, items = run(model, settings)
    assert figures["tasks"]["choice"]["few_shot"] == 2
    right = []
    for row in items.iter_rows(named=True):
        assert row["prompt"].startswith("Answer the questions.\n\nQuestion: ")
        assert row["prompt"].count("Question:") == 3
        own = [log_likelihood(model, row["prompt"], choice)[0] for choice in row["choices"]]
        assert row["log_likelihoods"] == pytest.approx(own, abs=1e-4)
        best = int(np.argmax([score / len(choice.strip()) for score, choice in zip(own, row["choices"], strict=True)]))
        right.append(float(row["choices"][best].strip() == row["target"]))
    assert items["value"].to_list() == right
    assert figures["value"] == pytest.approx(np.mean(right))
    assert items["text"][0] == f"Question: What is {PLACES[3]}?\nAnswer: {PLACES[3]}"


def test_choices_in_the_question_are_each_read_before_the_same_rest(model, found):
    for place, row in zip(PLACES, read(found[1], "blank").iter_rows(named=True), strict=True):
        own = [log_likelihood(model, question, " blue.")[0] for question in (f"{place} is", f"Why {place}")]
        assert row["log_likelihoods"] == pytest.approx(own, abs=1e-4)
        assert row["value"] == float(own[1] > own[0])
        assert (row["target"], row["text"]) == ("blue.", f"Why {place} blue.")


def test_a_log_likelihood_task_counts_what_the_model_would_have_written(model, found):
    items = read(found[1], "cloze")
    own = [log_likelihood(model, *pair) for pair in items.select("prompt", "target").iter_rows()]
    assert items["value"].to_list() == [float(greedy) for _, greedy in own]
    assert 0 < items["value"].sum() < items.height
    assert items["log_likelihoods"].explode().to_list() == pytest.approx([score for score, _ in own], abs=1e-4)


def test_a_generation_task_compares_what_the_model_writes(found):
    items = read(found[1], "reply")
    assert items["value"].to_list() == [float(i % 3 > 0) for i in range(9)]
    assert (items["response"] == items["target"]).to_list() == [i % 3 > 0 for i in range(9)]
    assert items["choices"].null_count() == items["log_likelihoods"].null_count() == 9


@pytest.mark.parametrize("prompt", ["recipe", "chat"])
def test_the_prompt_asked_for_is_what_the_model_reads(model, folder, prompt):
    settings = {**SETTINGS, "tasks": ["choice", "reply"], "few_shot": 1, "include_path": folder}
    _, plain = run(model, settings)
    figures, wrapped = run(model, {**settings, "prompt": prompt})
    tokenizer, template = load_tokenizer(model), {"recipe": "alpaca", "chat": "chat"}[prompt]
    assert wrapped["prompt"].to_list() == [render(template, text, "", tokenizer) for text in plain["prompt"]]
    assert figures["prompt"] == prompt
    # the log-likelihoods are those after the wrapped prompt, and nothing stands between it and the answer
    row = wrapped.row(0, named=True)
    assert row["choices"][0] == PLACES[3]
    assert row["log_likelihoods"][0] == pytest.approx(log_likelihood(model, row["prompt"], PLACES[3])[0], abs=1e-4)
    assert read(wrapped, "reply")["response"].to_list() != read(plain, "reply")["response"].to_list()


@pytest.mark.parametrize("by_items", [True, False])
def test_a_group_is_averaged_as_the_harness_does(model, tmp_path, by_items):
    rows = [{"text": place, "next": " is"} for place in PLACES]
    for name, count in (("one", 2), ("two", 9)):
        write_task(
            tmp_path,
            name,
            [{**row, "next": " is" if i or name == "two" else "zz"} for i, row in enumerate(rows[:count])],
            output_type="multiple_choice",
            doc_to_text="{{text}}",
            doc_to_choice=["zz", " is"],
            doc_to_target="{{['zz', ' is'].index(next)}}",
            target_delimiter="",
            metric_list=[{"metric": "acc", **MEAN}],
        )
    average = {"metric": "acc", "weight_by_size": by_items}
    group = {"group": "both", "task": ["one", "two"], "aggregate_metric_list": [average], "metadata": {"version": 2}}
    (tmp_path / "both.yaml").write_text(yaml.safe_dump(group))
    settings = {**SETTINGS, "tasks": ["both"], "include_path": str(tmp_path), "limit": 7}
    figures, items = run(model, settings)
    one, two = (read(items, name)["value"] for name in ("one", "two"))
    assert (len(one), len(two)) == (2, 7)
    assert one.mean() != two.mean()
    expected = items["value"].mean() if by_items else (one.mean() + two.mean()) / 2
    assert figures["value"] == figures["tasks"]["both"]["value"] == pytest.approx(expected)
    metrics = {
        name: {"acc,none": read(items, name)["value"].mean(), "sample_len": read(items, name).height}
        for name in ("one", "two")
    }
    manager = TaskManager(include_path=str(tmp_path), include_defaults=False)
    assert figures["value"] == pytest.approx(manager.load(["both"])["groups"]["both"].aggregate(metrics)["acc,none"])
    assert figures["tasks"]["both"]["subtasks"]["two"]["n"] == 7
    assert figures["tasks"]["both"]["version"] == "2"


def test_the_same_inputs_give_the_same_bytes(model, folder, found):
    figures, items = run(model, {**SETTINGS, "include_path": folder})
    assert (figures, items.equals(found[1])) == (found[0], True)
    one_by_one = run(model, {**SETTINGS, "include_path": folder, "batch_size": "auto"})[1]
    assert one_by_one["value"].to_list() == items["value"].to_list()
    both = zip(one_by_one["log_likelihoods"].explode(), items["log_likelihoods"].explode(), strict=True)
    assert all(one == other or one == pytest.approx(other, abs=1e-4) for one, other in both)


def test_few_shot_examples_are_drawn_by_the_seed(model, folder):
    settings = {**SETTINGS, "tasks": ["choice"], "few_shot": 2, "include_path": folder}
    prompts = [run(model, {**settings, "seed": seed})[1]["prompt"].to_list() for seed in (0, 0, 1)]
    assert prompts[0] == prompts[1] != prompts[2]


def test_requests_longer_than_the_model_reads_are_cut_and_counted(model, folder):
    settings = {**SETTINGS, "tasks": ["choice", "reply"], "few_shot": 2, "include_path": folder, "max_length": 24}
    figures, _ = run(model, settings)
    tokenizer = load_tokenizer(model)
    _, items = run(model, {**settings, "max_length": None})
    lengths = [
        [len(tokenizer(prompt + choice)["input_ids"]) for choice in choices]
        for prompt, choices in read(items, "choice").select("prompt", "choices").iter_rows()
    ]
    contexts = [len(tokenizer(prompt)["input_ids"]) for prompt in read(items, "reply")["prompt"]]
    expected = sum(length > 25 for row in lengths for length in row) + sum(length > 24 - 6 for length in contexts)
    assert 0 < figures["truncated"] == expected < 18 + 9 + 1


JOB = """
import json, runpy, sys

class Values(dict):
    __getattr__ = dict.__getitem__

job = json.loads(sys.argv[1], object_hook=Values)
runpy.run_path(sys.argv[2], {"snakemake": job})
"""


def test_the_script_writes_its_results_and_a_quiet_log_and_nothing_else(model, folder, tmp_path, found):
    settings = {key: value for key, value in SETTINGS.items() if key != "batch_size"} | {"include_path": folder}
    job = {
        **{"input": {"model": model}, "output": {"figures": "out/value.json", "per_item": "out/items.parquet"}},
        **{
            "params": {"settings": settings, "version": 1},
            "resources": {"batch_size": 4},
            "wildcards": {"recipe": "r", "subset": "x", "benchmark": "tasks"},
            "config": {"benchmarks": {"tasks": {"kind": "harness"}}},
        },
        **{"log": ["out/job.log"], "threads": 1},
    }
    for name in ("work", "home"):
        (tmp_path / name).mkdir()
    home = {"HOME": str(tmp_path / "home"), "HF_HOME": str(tmp_path / "hf")}
    done = subprocess.run(
        [sys.executable, "-c", JOB, json.dumps(job), str(ROOT / "workflow/scripts/evaluate.py")],
        cwd=tmp_path / "work",
        env={**home, "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    results = {f"work/out/{name}" for name in ("value.json", "items.parquet", "job.log")}
    assert {path for path in written if not path.startswith("hf/datasets/")} == results
    figures = json.loads((tmp_path / "work/out/value.json").read_text())
    named = {"recipe": "r", "subset": "x", "benchmark": "tasks"}
    assert figures.pop("provenance") == {"evaluation": "harness", "version": 1, **settings, **named}
    assert figures == found[0]
    assert pl.read_parquet(tmp_path / "work/out/items.parquet").height == figures["n_expected"]
    log = (tmp_path / "work/out/job.log").read_text()
    assert "9 of 9 requests" in log
    assert re.sub(r"[\d:]{8} (device cpu|\d+ of \d+ requests, .*)\n", "", log) == ""


SHOTS = {"arc_easy": 25, "arc_challenge": 25, "hellaswag": 10, "mmlu": 5, "truthfulqa_mc2": 0, "winogrande": 5}
METRICS = {"arc_easy": "acc_norm", "arc_challenge": "acc_norm", "hellaswag": "acc_norm"}
TASKS = {
    "openllm-v1": ["arc_challenge", "hellaswag", "mmlu", "truthfulqa_mc2"],
    "chasing-random": ["mmlu", "arc_easy", "arc_challenge", "winogrande", "truthfulqa_mc2", "hellaswag"],
}


@pytest.fixture(scope="module")
def harness():
    """The text of every task file of the installed harness: its own index of them takes ten seconds and more."""
    folder = Path(lm_eval.tasks.__file__).parent
    return folder, {path: path.read_text(encoding="utf-8") for path in folder.rglob("*.yaml")}


@pytest.mark.parametrize("preset", PRESETS)
def test_a_presets_tasks_are_those_of_the_installed_harness(harness, preset):
    folder, texts = harness
    assert len(texts) > 10_000

    def places(words):
        return {str(path.parent.relative_to(folder)) for path, text in texts.items() if re.search(words, text)}

    assert [task.task for task in PRESETS[preset]] == TASKS[preset]
    for task in PRESETS[preset]:
        assert places(rf"(?m)^\"?(task|group)\"?: \"?{task.task}\"?$") == {task.folder}
        index = TaskManager(include_path=folder / task.folder, include_defaults=False).task_index
        config = index[task.task].cfg
        assert (task.few_shot, task.metric) == (SHOTS[task.task], METRICS.get(task.task, "acc"))
        if task.task != "mmlu":
            assert config.get("num_fewshot", task.few_shot) == task.few_shot
            assert {"metric": task.metric, **MEAN} in config["metric_list"]
            continue
        assert config["aggregate_metric_list"] == [{"metric": "acc", "weight_by_size": True}]
        for group in config["task"]:
            (tag,) = index[group].cfg["task"]
            assert places(rf"\b{tag}\b") == {task.folder}


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_runs_with_the_papers_few_shot_numbers_and_metrics(model, preset, monkeypatch):
    monkeypatch.setattr(datasets, "load_dataset", hub_data)
    settings = {**SETTINGS, "preset": preset, "tasks": None, "limit": 1, "batch_size": 16}
    figures, items = run(model, settings)
    assert list(figures["tasks"]) == TASKS[preset]
    assert figures["value"] == pytest.approx(np.mean([task["value"] for task in figures["tasks"].values()]))
    for name, task in figures["tasks"].items():
        assert (task["few_shot"], task["metric"]) == (SHOTS[name], METRICS.get(name, "acc"))
    mmlu = figures["tasks"]["mmlu"]
    assert (len(mmlu["subtasks"]), mmlu["n"], mmlu["average"]) == (57, 57, "over subtasks")
    assert items["task"].unique(maintain_order=True).to_list() == TASKS[preset]
    shown = {
        "arc_easy": "Question: What is train",
        "arc_challenge": "Question: What is train",
        "hellaswag": "Looking: train",
        "mmlu_anatomy": "What is dev",
        "truthfulqa_mc2": "Is train",
        "winogrande": "saw her sing",
    }
    for name, words in shown.items():
        if name in items["subtask"]:
            (prompt,) = read(items, name)["prompt"]
            assert prompt.count(words) == SHOTS[name.removesuffix("_anatomy")]
    # probability of the true answers among all
    (truthful,) = read(items, "truthfulqa_mc2").iter_rows(named=True)
    shares = np.exp(truthful["log_likelihoods"])
    assert truthful["value"] == pytest.approx(shares[0] / shares.sum())
    assert truthful["text"] == "Is validation 0 blue? It is blue."
    (arc,) = read(items, "arc_challenge").iter_rows(named=True)
    lengths = [len(choice.strip()) for choice in arc["choices"]]
    assert arc["value"] == float(np.argmax(np.divide(arc["log_likelihoods"], lengths)) == 1)


def refused(settings, **changed):
    with pytest.raises(InputError) as error:
        load_parts({**SETTINGS, **settings, **changed})
    assert "\n" not in str(error.value)
    return str(error.value)


def test_either_a_preset_or_tasks(folder):
    assert "either `preset` or `tasks`" in refused({"tasks": None})
    assert "either `preset` or `tasks`" in refused({"preset": "openllm-v1"})
    assert "few_shot, include_path go with `tasks`" in refused(
        {"preset": "openllm-v1", "tasks": None, "few_shot": 0, "include_path": folder}
    )
    assert "no preset openllm; there are openllm-v1, chasing-random" in refused({"preset": "openllm", "tasks": None})


def test_an_unknown_name_comes_with_near_ones(monkeypatch, folder):
    # all of the harness's index would take ten seconds
    arc = Path(lm_eval.tasks.__file__).parent / "arc"
    monkeypatch.setattr(
        harness_tasks, "TaskManager", lambda include_path: TaskManager(include_path=arc, include_defaults=False)
    )
    assert "no task arc_chalenge in lm-evaluation-harness 0.4.13; near it: arc_challenge" in refused(
        {"tasks": ["arc_easy", "arc_chalenge"]}
    )


def test_a_broken_folder_is_one_line(tmp_path, monkeypatch):
    settings = {"tasks": ["own"], "include_path": str(tmp_path)}
    assert f"{tmp_path}: expected a folder with the .yaml files of tasks" in refused(settings)
    (tmp_path / "own.yaml").write_text("task: [own\n")
    assert f"{tmp_path}/own.yaml: expected a task of lm-evaluation-harness" in refused(settings)
    (tmp_path / "own.yaml").write_text("include: nowhere\ntask: own\n")
    assert "own.yaml" in refused(settings)
    (tmp_path / "own.yaml").write_text("task: own\ndataset_path: json\ndataset_kwargs: {data_files: nowhere.jsonl}\n")
    assert "task own cannot be loaded: FileNotFoundError: Unable to find" in refused(settings)
    (tmp_path / "own.yaml").write_text("task: own\ndoc_to_text: !function nowhere.read\n")
    assert "task own cannot be loaded: ImportError: Cannot import module 'nowhere'" in refused(settings)
    (tmp_path / "own.yaml").write_text("task: own\ndoc_to_text: !function reading.read\n")
    (tmp_path / "reading.py").write_text("import nltk\nnltk.download('punkt_tab')\n")
    assert "task own needs NLTK's punkt_tab, which is not installed: python -m nltk.downloader" in refused(settings)


def test_data_that_cannot_be_fetched_is_one_line_with_the_way_out(tmp_path, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    line = refused({"preset": "openllm-v1", "tasks": None})
    assert "the data of task arc_challenge is not on this machine and cannot be fetched (ConnectionError" in line
    assert """python -c "from lm_eval.tasks import TaskManager; TaskManager().load(['arc_challenge'])\"""" in line
    (tmp_path / "own.yaml").write_text("task: own\ndataset_path: nobody/nothing\n")
    line = refused({"tasks": ["own"], "include_path": str(tmp_path)})
    assert f"TaskManager(include_path='{tmp_path}').load(['own'])" in line


def test_a_metric_must_be_a_mean_over_items(tmp_path, folder):
    settings = {"tasks": ["cloze"], "include_path": folder}
    assert (
        "task cloze has no metric perplexity that is a mean over its items, higher the better; such metrics: acc; "
        in (refused(settings, metric="perplexity"))
    )
    assert "has no metric acc,loose that is" in refused(settings, metric="acc,loose")
    write_task(
        tmp_path,
        "worse",
        [{"text": "a", "next": "b"}],
        output_type="loglikelihood",
        doc_to_text="{{text}}",
        doc_to_target="{{next}}",
        metric_list=[{"metric": "acc", "aggregation": "mean", "higher_is_better": False}],
    )
    assert "such metrics: none; others: acc" in refused({"tasks": ["worse"], "include_path": str(tmp_path)})


def test_what_cannot_be_run_is_refused_before_it_starts(model, tmp_path, folder):
    settings = {"include_path": folder}
    assert "choice would be counted twice" in refused(settings, tasks=["choice", "choice"])
    assert "task choice: 4 few-shot examples need 4 rows, it has 3" in refused(settings, tasks=["choice"], few_shot=4)
    assert "task blank has no rows for few-shot examples but its own items" in refused(
        settings, tasks=["blank"], few_shot=1
    )
    shown = {"output_type": "loglikelihood", "doc_to_text": "{{text}}", "doc_to_target": "b", "fewshot_split": "test"}
    write_task(tmp_path, "shown", [{"text": "a"}, {"text": "b"}], **shown, metric_list=[{"metric": "acc", **MEAN}])
    shown = {"tasks": ["shown"], "include_path": str(tmp_path)}
    assert "task shown: 2 few-shot examples need 3 rows, it has 2" in refused(shown, few_shot=2)
    assert len(load_parts({**SETTINGS, **shown, "few_shot": 1})) == 1
    common = {"output_type": "generate_until", "doc_to_text": "{{text}}", "doc_to_target": "b"}
    generation = {"generation_kwargs": {"until": [], "max_gen_toks": 300, "do_sample": False}}
    write_task(tmp_path, "long", [{"text": "a"}], **common, **generation)
    write_task(tmp_path, "code", [{"text": "a"}], **common, unsafe_code=True)
    assert "task code runs code that a model wrote" in refused({"tasks": ["code"], "include_path": str(tmp_path)})
    with pytest.raises(InputError, match="task own writes its own prompts: expected `prompt: none`"):
        harness_tasks._check(SimpleNamespace(task_name="own"), "recipe")
    with pytest.raises(InputError, match="task long generates 300 tokens, and max_length is 256"):
        evaluate(
            EvaluationJob(model=model),
            {**SETTINGS, "tasks": ["long"], "include_path": str(tmp_path), "max_length": 256},
        )
    with pytest.raises(InputError, match=r"an answer of \d+ tokens does not fit max_length 2"):
        run(model, {**SETTINGS, "tasks": ["choice"], "include_path": folder, "max_length": 2})
    with pytest.raises(InputError, match="prompt plain: expected one of none, recipe, chat"):
        run(model, {**SETTINGS, "prompt": "plain"})


def test_items_without_a_value_count_in_neither_sum(model, tmp_path):
    (tmp_path / "own.py").write_text(
        "def score(doc, results):\n"
        "    return {'other': 1.0, **({'acc': float(doc['text'] != 'b')} if doc['text'] != 'c' else {})}\n"
    )
    write_task(
        tmp_path,
        "own",
        [{"text": text} for text in "abca"],
        output_type="loglikelihood",
        doc_to_text="{{text}}",
        doc_to_target="b",
        metric_list=[{"metric": "acc", **MEAN}],
        process_results="!function own.score",
    )
    path = tmp_path / "own.yaml"
    path.write_text(path.read_text().replace("'!function own.score'", "!function own.score"))
    settings = {**SETTINGS, "tasks": ["own"], "include_path": str(tmp_path)}
    with pytest.raises(InputError, match="3 of 4 items have a value; min_share_used asks for 100%"):
        run(model, settings)
    figures, items = run(model, {**settings, "min_share_used": 0.7})
    assert items["value"].to_list() == [1.0, 0.0, None, 1.0]
    assert (figures["value"], figures["n_used"], figures["n_expected"]) == (pytest.approx(2 / 3), 3, 4)
    assert figures["tasks"]["own"]["n"] == 3


def test_logits_that_are_not_numbers_are_an_error_and_no_wrong_answer(model, folder, monkeypatch):
    def broken(self, requests, *_, **__):
        return [(float("nan"), False)] * len(requests)

    monkeypatch.setattr(RunModel, "_loglikelihood_tokens", broken)
    with pytest.raises(InputError, match="task choice, row 0: the model's logits are not numbers"):
        run(model, {**SETTINGS, "tasks": ["choice"], "include_path": folder})
