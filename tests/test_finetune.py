import polars as pl
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from instructmining import finetune as module
from instructmining.attention import use_packed_attention
from instructmining.errors import InputError
from instructmining.evaluations.loss import evaluate
from instructmining.finetune import _Rows, finetune, last_checkpoint, pack
from instructmining.launch import launch
from instructmining.models import load_causal_lm, load_tokenizer
from instructmining.prompts import encode
from tiny import SENTENCES, tiny_gpt_neox_lm, tiny_llama

RECIPE = {
    "model": "tiny",
    "revision": "main",
    "template": "alpaca_short",
    "epochs": 2,
    "batch_size": 4,
    "micro_batch_size": 2,
    "learning_rate": 1e-3,
    "scheduler": "cosine",
    "warmup_ratio": 0.0,
    "weight_decay": 0.0,
    "max_length": 128,
    "max_prompt_length": None,
    "method": "full",
    "lora": {"r": 4, "alpha": 8, "dropout": 0.0, "target_modules": None},
    "precision": "float32",
    "device": "cpu",
    "seed": 0,
    "launcher": "single",
    "gpus": 1,
    "nodes": 1,
    "zero_stage": 2,
    "checkpoint_minutes": 10,
    "activation_checkpointing": False,
    "max_grad_norm": 1.0,
}
EVALUATION = {
    "precision": "float32",
    "device": "cpu",
    "template": "alpaca_short",
    "max_length": 128,
    "max_prompt_length": None,
    "batch_tokens": 1000,
    "min_share_used": 0.9,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return str(tiny_llama(tmp_path_factory.mktemp("llama")))


@pytest.fixture(scope="module")
def examples():
    rows = [{"id": str(i), "instruction": f"Say it {i}", "input": "", "output": s} for i, s in enumerate(SENTENCES * 2)]
    return pl.DataFrame(rows)


def model(folder):
    return {"path": folder, "model": "tiny", "revision": "local"}


@pytest.mark.parametrize("make", [tiny_llama, tiny_gpt_neox_lm])
def test_packed_examples_have_the_loss_they_have_alone(tmp_path, examples, make):
    folder = str(make(tmp_path))
    network, plain = load_causal_lm(folder), load_causal_lm(folder)
    assert use_packed_attention(network)
    rows = encode(examples, load_tokenizer(folder), "alpaca", 128)
    batch = pack(rows)
    labels = batch.pop("labels")
    del batch["shift_labels"]
    with torch.no_grad():
        together = torch.nn.functional.cross_entropy(
            network(**batch, use_cache=False).logits[0], labels, reduction="none"
        )
        at = 0
        for row in rows:
            logits = plain(torch.tensor([row.ids]), use_cache=False).logits[0]
            targets = torch.tensor(row.ids[row.start :])
            alone = torch.nn.functional.cross_entropy(logits[row.start - 1 : -1], targets, reduction="none")
            torch.testing.assert_close(together[at : at + len(targets)], alone, atol=1e-4, rtol=1e-4)
            at += len(targets)
    assert at == len(labels)


def test_a_step_is_the_token_mean_over_its_whole_batch(tmp_path, folder, examples):
    """Micro-batches of 1, 2 and 4 give the same loss curve: the step stays batch_size examples."""
    curves = []
    for micro in (1, 2, 4):
        figures = finetune(examples, {**RECIPE, "micro_batch_size": micro}, folder, tmp_path / str(micro))
        curves.append([point["loss"] for point in figures["loss_curve"]])
    assert len(curves[0]) == figures["steps"] == 6
    assert curves[1] == pytest.approx(curves[0], rel=1e-4)
    assert curves[2] == pytest.approx(curves[0], rel=1e-4)


@pytest.mark.parametrize("method", ["full", "lora"])
def test_training_lowers_the_loss_and_saves_a_model_that_loads(tmp_path, folder, examples, method):
    recipe = {**RECIPE, "method": method, "learning_rate": 3e-3, "epochs": 6}
    figures = launch(examples, recipe, model(folder), tmp_path)
    before, after = (evaluate(path, examples, EVALUATION)[0]["value"] for path in (folder, str(tmp_path / "model")))
    assert after < before - 0.1
    assert figures["examples"] == examples.height
    assert figures["supervised_tokens"] < figures["tokens"]
    trained = AutoModelForCausalLM.from_pretrained(tmp_path / "model")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    assert trained.generate(**tokenizer("Say", return_tensors="pt"), max_new_tokens=3, do_sample=False).shape[1] > 1


def test_the_same_seed_gives_the_same_weights(tmp_path, folder, examples):
    for name in ("one", "two"):
        finetune(examples, RECIPE, folder, tmp_path / name)
    one, two = ((tmp_path / name / "model/model.safetensors").read_bytes() for name in ("one", "two"))
    assert one == two


def test_an_interrupted_training_goes_on_from_its_checkpoint(tmp_path, folder, examples, monkeypatch):
    recipe = {**RECIPE, "checkpoint_minutes": 0}
    whole = finetune(examples, RECIPE, folder, tmp_path / "whole")
    advance = module._Progress.on_step_end

    def die_after_four(self, args, state, control, **more):
        if state.global_step == 5:
            raise KeyboardInterrupt
        advance(self, args, state, control, **more)

    monkeypatch.setattr(module._Progress, "on_step_end", die_after_four)
    with pytest.raises(KeyboardInterrupt):
        finetune(examples, recipe, folder, tmp_path / "cut")
    monkeypatch.undo()
    steps_done: list[int] = []
    monkeypatch.setattr(
        module._Progress, "on_step_begin", lambda self, args, state, control, **_: steps_done.append(state.global_step)
    )
    resumed = finetune(examples, recipe, folder, tmp_path / "cut")
    assert steps_done[0] == 4
    assert [p["loss"] for p in resumed["loss_curve"]] == pytest.approx(
        [p["loss"] for p in whole["loss_curve"]], rel=1e-5
    )


def test_rows_without_supervised_tokens_are_counted_and_left_out(tmp_path, folder, examples):
    long = pl.DataFrame([{"id": "x", "instruction": "word " * 300, "input": "", "output": "never seen"}])
    figures = finetune(pl.concat([examples, long]), RECIPE, folder, tmp_path)
    assert figures["examples_without_supervised_tokens"] == 1
    with pytest.raises(InputError, match="none of 1 examples"):
        finetune(long, RECIPE, folder, tmp_path / "none")


def test_two_processes_reach_the_curve_of_one(tmp_path, folder, examples, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "src")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    alone = launch(examples, {**RECIPE, "micro_batch_size": 1}, model(folder), tmp_path / "alone")
    recipe = {**RECIPE, "micro_batch_size": 1, "launcher": "torchrun", "gpus": 2}
    together = launch(examples, recipe, model(folder), tmp_path / "together")
    curves = [[point["loss"] for point in figures["loss_curve"]] for figures in (alone, together)]
    assert curves[1] == pytest.approx(curves[0], abs=1e-3)
    AutoModelForCausalLM.from_pretrained(tmp_path / "together/model")


def test_a_checkpoint_of_another_job_is_not_taken_up(tmp_path, folder, examples, monkeypatch):
    recipe = {**RECIPE, "checkpoint_minutes": 0}
    whole = launch(examples, recipe, model(folder), tmp_path / "whole")

    def die(self, args, state, control, **more):
        if state.global_step == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(module._Progress, "on_step_begin", die)
    with pytest.raises(KeyboardInterrupt):
        launch(examples, {**recipe, "learning_rate": 5e-4}, model(folder), tmp_path / "work")
    assert list((tmp_path / "work").glob("checkpoint-*"))
    monkeypatch.undo()
    other = launch(examples, recipe, model(folder), tmp_path / "work")
    assert other["loss_curve"] == whole["loss_curve"]


@pytest.mark.parametrize("state", [None, "", '{"global_step": 3, "log_his'])
def test_a_checkpoint_that_is_not_whole_is_removed(tmp_path, state):
    for step in (3, 12):
        (tmp_path / f"checkpoint-{step}").mkdir()
        (tmp_path / f"checkpoint-{step}/model.safetensors").write_bytes(b"half")
    assert state is None or (tmp_path / "checkpoint-12/trainer_state.json").write_text(state) >= 0
    (tmp_path / "checkpoint-3/trainer_state.json").write_text("{}")
    assert last_checkpoint(tmp_path) == str(tmp_path / "checkpoint-3")
    assert not (tmp_path / "checkpoint-12").exists()


def test_bfloat16_trains_float32_weights_and_saves_bfloat16(tmp_path, folder, examples):
    recipe = {**RECIPE, "learning_rate": 2e-5, "max_grad_norm": 0.0}
    wide = finetune(examples, recipe, folder, tmp_path / "wide")
    narrow = finetune(examples, {**recipe, "precision": "bfloat16"}, folder, tmp_path / "narrow")
    assert narrow["weights_trained_in"] == "float32"
    curves = [[point["loss"] for point in figures["loss_curve"]] for figures in (wide, narrow)]
    assert curves[1] == pytest.approx(curves[0], abs=0.02)
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "narrow/model").dtype == torch.bfloat16


def test_tokens_are_counted_over_all_epochs(tmp_path, folder, examples):
    one = finetune(examples, {**RECIPE, "epochs": 1}, folder, tmp_path / "one")
    two = finetune(examples, {**RECIPE, "epochs": 2}, folder, tmp_path / "two")
    assert two["tokens"] == 2 * one["tokens"] and two["steps"] == 2 * one["steps"]


def test_an_error_of_a_process_is_the_line_it_would_be_alone(tmp_path, folder, examples, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "src")
    long = pl.DataFrame([{"id": "x", "instruction": "word " * 300, "input": "", "output": "never seen"}])
    recipe = {**RECIPE, "micro_batch_size": 1, "launcher": "torchrun", "gpus": 2}
    with pytest.raises(InputError, match=r"none of 1 examples has a response token within max_length$"):
        launch(long, recipe, model(folder), tmp_path)


def test_rows_are_filled_up_only_where_several_processes_share_them(examples, folder):
    rows = encode(examples, load_tokenizer(folder), "alpaca", 128)[:5]
    assert len(_Rows(rows, multiple=4)) == 5
