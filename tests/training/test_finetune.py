import polars as pl
import pytest
import torch
from transformers import AutoModelForCausalLM

from instructmining.jobs.errors import InputError
from instructmining.training.finetune import finetune, load_base
from instructmining.training.trainer import Progress
from tiny import tiny_gpt_neox_lm, tiny_llama
from training import EXAMPLES, LONG, OTHERS, RECIPE, alone, losses, results, weights


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return str(tiny_llama(tmp_path_factory.mktemp("llama")))


def test_a_step_is_the_token_mean_over_its_whole_batch(tmp_path, folder):
    """Micro-batches of 1, 2 and 4 give the same loss curve: the step stays batch_size examples."""
    curves = []
    for micro in (1, 2, 4):
        figures = alone(EXAMPLES, {**RECIPE, "micro_batch_size": micro}, folder, tmp_path / str(micro))
        curves.append(losses(figures))
    assert len(curves[0]) == figures["steps"] == 6
    assert curves[1] == pytest.approx(curves[0], rel=1e-4)
    assert curves[2] == pytest.approx(curves[0], rel=1e-4)


def test_the_same_seed_gives_the_same_weights(tmp_path, folder):
    for name in ("one", "two"):
        alone(EXAMPLES, RECIPE, folder, tmp_path / name)
    assert weights(tmp_path / "one") == weights(tmp_path / "two")


@pytest.mark.parametrize("method", ["full", "lora"])
@pytest.mark.parametrize("make", [tiny_llama, tiny_gpt_neox_lm])
def test_a_run_after_another_is_the_run_alone_and_leaves_the_base_as_it_was(tmp_path, make, method):
    path = str(make(tmp_path / "base"))
    recipe = {**RECIPE, "method": method, "lora": {**RECIPE["lora"], "dropout": 0.1}}
    base = load_base(recipe, path)
    before = {name: weight.clone() for name, weight in base.model.state_dict().items()}
    finetune(EXAMPLES, recipe, base, tmp_path / "first")
    after = finetune(OTHERS, recipe, base, tmp_path / "second")
    assert results(after) == results(alone(OTHERS, recipe, path, tmp_path / "alone"))
    assert weights(tmp_path / "second") == weights(tmp_path / "alone") != weights(tmp_path / "first")
    assert all(torch.equal(weight, before[name]) for name, weight in base.model.state_dict().items())


def test_an_interrupted_training_goes_on_from_its_checkpoint(tmp_path, folder, monkeypatch):
    recipe = {**RECIPE, "checkpoint_minutes": 0}
    whole = alone(EXAMPLES, RECIPE, folder, tmp_path / "whole")
    advance = Progress.on_step_end

    def die_after_four(self, args, state, control, **more):
        if state.global_step == 5:
            raise KeyboardInterrupt
        advance(self, args, state, control, **more)

    monkeypatch.setattr(Progress, "on_step_end", die_after_four)
    with pytest.raises(KeyboardInterrupt):
        alone(EXAMPLES, recipe, folder, tmp_path / "cut")
    monkeypatch.undo()
    steps_done: list[int] = []
    monkeypatch.setattr(
        Progress, "on_step_begin", lambda self, args, state, control, **_: steps_done.append(state.global_step)
    )
    checkpoint = str(tmp_path / "cut/checkpoint-4")
    resumed = finetune(EXAMPLES, recipe, load_base(recipe, folder), tmp_path / "cut", checkpoint)
    assert steps_done[0] == 4
    assert results(resumed) == results(whole)
    assert weights(tmp_path / "cut") == weights(tmp_path / "whole")


def test_rows_without_supervised_tokens_are_counted_and_left_out(tmp_path, folder):
    figures = alone(pl.concat([EXAMPLES, LONG]), RECIPE, folder, tmp_path)
    assert figures["examples_without_supervised_tokens"] == 1
    with pytest.raises(InputError, match="none of 1 examples"):
        alone(LONG, RECIPE, folder, tmp_path / "none")


def test_a_loss_that_is_no_number_is_an_error(tmp_path, folder):
    recipe = {**RECIPE, "learning_rate": 1e30, "max_grad_norm": 0.0}
    with pytest.raises(InputError, match=r"the loss of step \d is (nan|inf): lower learning_rate"):
        alone(EXAMPLES, recipe, folder, tmp_path)


def test_bfloat16_trains_float32_weights_and_saves_bfloat16(tmp_path, folder):
    recipe = {**RECIPE, "learning_rate": 2e-5, "max_grad_norm": 0.0}
    wide = alone(EXAMPLES, recipe, folder, tmp_path / "wide")
    narrow = alone(EXAMPLES, {**recipe, "precision": "bfloat16"}, folder, tmp_path / "narrow")
    assert narrow["weights_trained_in"] == "float32"
    assert losses(narrow) == pytest.approx(losses(wide), abs=0.02)
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "narrow/model").dtype == torch.bfloat16


def test_tokens_are_counted_over_all_epochs(tmp_path, folder):
    one = alone(EXAMPLES, {**RECIPE, "epochs": 1}, folder, tmp_path / "one")
    two = alone(EXAMPLES, {**RECIPE, "epochs": 2}, folder, tmp_path / "two")
    assert two["tokens"] == 2 * one["tokens"] and two["steps"] == 2 * one["steps"]


def test_nothing_is_evaluated_or_written_inside_a_short_run(tmp_path, folder):
    alone(EXAMPLES, RECIPE, folder, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
