import json
import shutil

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from evaluating import job
from instructmining.evaluations.loss import evaluate
from instructmining.jobs.errors import InputError
from instructmining.training import finetune as module
from instructmining.training.trainer import Progress
from tiny import tiny_llama
from training import EXAMPLES, LONG, OTHERS, RECIPE, launched, losses, results, weights

EVALUATION = {
    "precision": "float32",
    "device": "cpu",
    "template": "alpaca_short",
    "max_length": 128,
    "max_prompt_length": None,
    "batch_tokens": 1000,
    "min_share_used": 0.9,
}
FREQUENT = {**RECIPE, "checkpoint_minutes": 0}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return str(tiny_llama(tmp_path_factory.mktemp("llama")))


@pytest.fixture
def die_at(monkeypatch):
    """``die_at(run, step)``: the run so numbered, from 0, dies before its step; ``die_at()``: none does."""

    def set_death(run=None, step=None):
        begun = []

        def begin(self, args, state, control, **_):
            begun.append(state.global_step)

        def step_begin(self, args, state, control, **_):
            if len(begun) - 1 == run and state.global_step == step:
                raise KeyboardInterrupt
            steps.append((len(begun) - 1, state.global_step))

        steps: list[tuple[int, int]] = []
        monkeypatch.setattr(Progress, "on_epoch_begin", lambda self, *_, **__: None)
        monkeypatch.setattr(Progress, "on_init_end", begin)
        monkeypatch.setattr(Progress, "on_step_begin", step_begin)
        return steps

    return set_death


@pytest.mark.parametrize("method", ["full", "lora"])
def test_training_lowers_the_loss_and_saves_a_model_that_loads(tmp_path, folder, method):
    recipe = {**RECIPE, "method": method, "learning_rate": 3e-3, "epochs": 6}
    (figures,) = launched({tmp_path / "run": EXAMPLES}, recipe, folder)
    paths = (folder, str(tmp_path / "run/model"))
    before, after = (evaluate(job(tmp_path, EXAMPLES, model=path), EVALUATION)[0]["value"] for path in paths)
    assert after < before - 0.1
    assert figures["examples"] == EXAMPLES.height
    assert figures["supervised_tokens"] < figures["tokens"]
    trained = AutoModelForCausalLM.from_pretrained(paths[1])
    tokenizer = AutoTokenizer.from_pretrained(paths[1])
    assert trained.generate(**tokenizer("Say", return_tensors="pt"), max_new_tokens=3, do_sample=False).shape[1] > 1


def test_runs_of_a_job_are_those_of_jobs_of_their_own(tmp_path, folder):
    together = launched({tmp_path / "a": EXAMPLES, tmp_path / "b": OTHERS}, RECIPE, folder)
    for name, examples, figures in zip("ab", (EXAMPLES, OTHERS), together, strict=True):
        (alone,) = launched({tmp_path / "alone" / name: examples}, RECIPE, folder)
        assert results(figures) == results(alone)
        assert weights(tmp_path / name) == weights(tmp_path / "alone" / name)


def test_weights_are_read_once_a_job(tmp_path, folder, monkeypatch):
    base = tmp_path / "base"
    shutil.copytree(folder, base)
    encode, seen = module.encode, []

    def without_the_files(*arguments):
        seen.append(arguments)
        shutil.rmtree(base, ignore_errors=True)
        return encode(*arguments)

    monkeypatch.setattr(module, "encode", without_the_files)
    launched({tmp_path / "a": EXAMPLES, tmp_path / "b": OTHERS}, RECIPE, str(base))
    assert len(seen) == 2 and (tmp_path / "b/model").exists()


def test_a_job_that_died_goes_on_where_it_was(tmp_path, folder, die_at):
    runs = {tmp_path / name: examples for name, examples in zip("abc", (EXAMPLES, OTHERS, EXAMPLES), strict=True)}
    whole = launched({tmp_path / "whole" / work.name: examples for work, examples in runs.items()}, FREQUENT, folder)
    die_at(run=1, step=4)
    with pytest.raises(KeyboardInterrupt):
        launched(runs, FREQUENT, folder)
    assert [(work / "train.json").exists() for work in runs] == [True, False, False]
    written = (tmp_path / "a/train.json").stat().st_mtime_ns
    steps = die_at()
    again = launched(runs, FREQUENT, folder)
    assert steps[0] == (0, 4) and steps[2] == (1, 0)
    assert (tmp_path / "a/train.json").stat().st_mtime_ns == written
    assert [results(figures) for figures in again] == [results(figures) for figures in whole]
    assert all(weights(work) == weights(tmp_path / "whole" / work.name) for work in runs)
    assert not list(tmp_path.rglob("checkpoint-*"))


def test_a_run_whose_model_was_taken_away_is_done_again(tmp_path, folder):
    launched({tmp_path / "run": EXAMPLES}, RECIPE, folder)
    shutil.rmtree(tmp_path / "run/model")
    launched({tmp_path / "run": EXAMPLES}, RECIPE, folder)
    assert (tmp_path / "run/model/model.safetensors").exists()


def test_a_failing_run_leaves_the_finished_ones(tmp_path, folder):
    with pytest.raises(InputError, match="none of 1 examples"):
        launched({tmp_path / "a": EXAMPLES, tmp_path / "b": LONG}, RECIPE, folder)
    assert json.loads((tmp_path / "a/train.json").read_text())["steps"] == 6
    assert not (tmp_path / "b/train.json").exists()


def test_a_checkpoint_of_another_job_is_not_taken_up(tmp_path, folder, die_at):
    (whole,) = launched({tmp_path / "whole": EXAMPLES}, FREQUENT, folder)
    die_at(run=0, step=4)
    with pytest.raises(KeyboardInterrupt):
        launched({tmp_path / "work": EXAMPLES}, {**FREQUENT, "learning_rate": 5e-4}, folder)
    assert list((tmp_path / "work").glob("checkpoint-*"))
    die_at()
    (other,) = launched({tmp_path / "work": EXAMPLES}, FREQUENT, folder)
    assert results(other) == results(whole)


def test_how_runs_are_watched_and_grouped_leaves_them_done(tmp_path, folder):
    (first,) = launched({tmp_path: EXAMPLES}, RECIPE, folder)
    more = {"checkpoint_minutes": 3, "runs_per_job": 8, "threads": 2}
    assert launched({tmp_path: EXAMPLES}, {**RECIPE, **more}, folder) == [first]


def test_a_checkpoint_that_is_not_whole_is_removed(tmp_path, folder, die_at):
    die_at(run=0, step=2)
    with pytest.raises(KeyboardInterrupt):
        launched({tmp_path: EXAMPLES}, FREQUENT, folder)
    for step, file in ((3, "model.safetensors"), (4, "trainer_state.json")):
        (tmp_path / f"checkpoint-{step}").mkdir()
        (tmp_path / f"checkpoint-{step}" / file).write_text('{"half": ')
    steps = die_at()
    (figures,) = launched({tmp_path: EXAMPLES}, FREQUENT, folder)
    assert steps[0] == (0, 2) and len(losses(figures)) == 6


def test_deepspeed_that_is_missing_is_said_with_what_to_type(tmp_path, folder, monkeypatch):
    monkeypatch.setattr("instructmining.training.launchers.deepspeed.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"not installed.*pip install .*-r envs/deepspeed.lock"):
        launched({tmp_path: EXAMPLES}, {**RECIPE, "launcher": "deepspeed"}, folder)
