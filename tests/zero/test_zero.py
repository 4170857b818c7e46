"""DeepSpeed in two processes on the CPU with gloo; skipped where DeepSpeed is not installed."""

import pytest
import torch

pytest.importorskip("deepspeed")

from deepspeed.runtime.zero.config import DeepSpeedZeroConfig

from instructmining.training.launchers.deepspeed import deepspeed_config
from tiny import tiny_llama
from training import EXAMPLES, OTHERS, RECIPE, killed_after, launched, logits, losses, results

ONE = {**RECIPE, "micro_batch_size": 1}
TWO = {**ONE, "launcher": "deepspeed", "gpus": 2}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return str(tiny_llama(tmp_path_factory.mktemp("llama")))


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.mark.parametrize("stage", [2, 3])
def test_two_processes_are_one_and_runs_of_a_job_those_of_jobs_of_their_own(tmp_path, folder, stage):
    single = launched({tmp_path / "1/a": EXAMPLES, tmp_path / "1/b": OTHERS}, ONE, folder)
    recipe = {**TWO, "zero_stage": stage}
    together = launched({tmp_path / "2/a": EXAMPLES, tmp_path / "2/b": OTHERS}, recipe, folder)
    for name, one, two in zip("ab", single, together, strict=True):
        assert losses(two) == pytest.approx(losses(one), abs=1e-3)
        torch.testing.assert_close(logits(tmp_path / "2" / name), logits(tmp_path / "1" / name), atol=1e-3, rtol=1e-3)
    (alone,) = launched({tmp_path / "3/b": OTHERS}, recipe, folder)
    assert results(alone) == results(together[1])


@pytest.mark.parametrize("stage", [2, 3])
def test_adapters_are_trained_and_merged(tmp_path, folder, stage):
    (one,) = launched({tmp_path / "one": OTHERS}, {**ONE, "method": "lora"}, folder)
    (two,) = launched({tmp_path / "two": OTHERS}, {**TWO, "method": "lora", "zero_stage": stage}, folder)
    assert losses(two) == pytest.approx(losses(one), abs=1e-3)
    torch.testing.assert_close(logits(tmp_path / "two"), logits(tmp_path / "one"), atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize(("stage", "offload"), [(2, "optimizer"), (3, "optimizer_and_weights")])
def test_offload_trains_the_same(tmp_path, folder, stage, offload):
    (one,) = launched({tmp_path / "one": OTHERS}, ONE, folder)
    (two,) = launched({tmp_path / "two": OTHERS}, {**TWO, "zero_stage": stage, "offload": offload}, folder)
    assert losses(two) == pytest.approx(losses(one), abs=1e-3)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("offload", ["none", "optimizer", "optimizer_and_weights"])
def test_the_config_is_one_that_deepspeed_takes(device, offload):
    config = deepspeed_config({**TWO, "zero_stage": 3, "offload": offload, "device": device})
    zero = DeepSpeedZeroConfig(**config["zero_optimization"])
    assert zero.stage == 3 and zero.gather_16bit_weights_on_model_save
    places = [part and part.device for part in (zero.offload_optimizer, zero.offload_param)]
    wanted = {"none": [None, None], "optimizer": ["cpu", None], "optimizer_and_weights": ["cpu", "cpu"]}
    assert places == wanted[offload]
    assert {"train_micro_batch_size_per_gpu", "gradient_accumulation_steps", "gradient_clipping"} <= {
        key for key, value in config.items() if value == "auto"
    }


@pytest.mark.parametrize("more", [{"zero_stage": 2}, {"zero_stage": 3, "method": "lora"}])
def test_an_interrupted_training_goes_on_from_its_checkpoint(tmp_path, folder, more):
    recipe = {**TWO, **more, "epochs": 20, "checkpoint_minutes": 1e-9}
    (whole,) = launched({tmp_path / "whole": OTHERS}, {**ONE, "epochs": 20, "method": recipe["method"]}, folder)
    killed_after(5, OTHERS, recipe, folder, tmp_path / "cut")
    assert not (tmp_path / "cut/train.json").exists()
    (resumed,) = launched({tmp_path / "cut": OTHERS}, recipe, folder)
    assert losses(resumed) == pytest.approx(losses(whole), abs=1e-3)
    torch.testing.assert_close(logits(tmp_path / "cut"), logits(tmp_path / "whole"), atol=1e-3, rtol=1e-3)
