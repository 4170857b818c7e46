"""Finetuning: a recipe trained on a subset, through transformers' Trainer, full or LoRA.

The optimiser step is the recipe's ``batch_size`` examples; inside it, micro-batches are laid end to end without
padding, examples blocked from one another, and the output matrix is applied to response tokens only. The loss of a
step is the mean over its response tokens. Steps are never packed across: that would change their number and weights.
"""

import copy
import gc
import logging
import math
import time
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import torch
from transformers import Trainer, set_seed

from instructmining.jobs.errors import InputError
from instructmining.jobs.files import remove_folder
from instructmining.models.attention import PACKED, use_packed_attention
from instructmining.models.loading import PRECISIONS, check_device, check_length, load_causal_lm, load_tokenizer
from instructmining.models.prompts import encode
from instructmining.training.arguments import processes, training_arguments, weights_precision
from instructmining.training.launchers import launcher_module
from instructmining.training.trainer import PackedTrainer, Progress, Rows, pack

_log = logging.getLogger(__name__)


class Base(NamedTuple):
    """What every run of a recipe starts from. ``model`` lies in main memory and is never trained: runs take copies.

    Where the file has the precision of the weights it is mapped, not copied: the processes of a node share one.
    """

    model: Any
    tokenizer: Any
    seconds: float


def load_base(recipe: dict[str, Any], path: str) -> Base:
    """Read tokenizer and weights from disk, once for all runs of a job. Errors: InputError if they do not fit."""
    start = time.monotonic()
    check_device(recipe["device"])
    tokenizer = load_tokenizer(path, recipe["revision"])
    model = load_causal_lm(path, recipe["revision"], weights_precision(recipe))
    check_length(model, recipe["max_length"], path)
    # collections of garbage need not go through all libraries again: they are most of a short run's overhead
    gc.collect()
    gc.freeze()
    return Base(model, tokenizer, time.monotonic() - start)


def finetune(
    examples: pl.DataFrame, recipe: dict[str, Any], base: Base, work: Path, checkpoint: str | None = None
) -> dict[str, Any]:
    """Train ``recipe`` on ``examples`` (columns instruction, input, output) and save into ``work / "model"``.

    ``checkpoint``: a folder that an interrupted run of the same job left behind, to go on from. With several processes
    every one calls this; the first one saves. Returns the contents of train.json but for names and provenance;
    ``tokens`` are of all epochs. Errors: InputError if no row can be supervised, or the loss is no number any more.
    """
    start = time.monotonic()
    encoded = encode(examples, base.tokenizer, recipe["template"], recipe["max_length"], recipe["max_prompt_length"])
    rows = [example for example in encoded if example.start < len(example.ids)]
    if not rows:
        raise InputError(f"finetuning: none of {len(encoded)} examples has a response token within max_length")
    # first, since the launcher's processes learn from it which device is theirs
    arguments = training_arguments(recipe, work)
    set_seed(recipe["seed"])
    together = recipe["micro_batch_size"] * processes(recipe) if processes(recipe) > 1 else 1
    trainer = PackedTrainer(
        model=_fresh(base, recipe, arguments.device),
        args=arguments,
        train_dataset=Rows(rows, recipe["seed"], multiple=together),
        data_collator=pack,
        callbacks=[Progress(recipe["checkpoint_minutes"])],
    )
    # our own counting in compute_loss: the labels given are already those of the response tokens
    trainer.model_accepts_loss_kwargs = True
    loaded = time.monotonic()
    trainer.train(resume_from_checkpoint=checkpoint)
    trained = time.monotonic()
    curve = _loss_curve(trainer)
    _save(trainer, base, recipe, work / "model")
    _free(trainer)
    return {
        "examples": len(encoded),
        "examples_without_supervised_tokens": len(encoded) - len(rows),
        "examples_truncated": sum(example.truncated for example in rows),
        "tokens": sum(len(row.ids) for row in rows) * recipe["epochs"],
        "supervised_tokens": sum(len(row.ids) - row.start for row in rows) * recipe["epochs"],
        "steps": trainer.state.global_step,
        "weights_trained_in": weights_precision(recipe),
        "seconds": {
            "load": round(loaded - start, 3),
            "train": round(trained - loaded, 3),
            "save": round(time.monotonic() - trained, 3),
        },
        "loss_curve": curve,
    }


def _fresh(base: Base, recipe: dict[str, Any], device: torch.device) -> Any:
    """The base's weights to train on, with packed attention and the recipe's adapters."""
    # moving to a GPU copies: until then the copy may use the base's memory
    model = _on_same_memory(base.model) if recipe["device"] == "cuda" else copy.deepcopy(base.model)
    if launcher_module(recipe).weights_in_parts(recipe):
        model.set_attn_implementation(PACKED)  # may be too large for one device to be tried out
    elif not use_packed_attention(model.to(device)):
        raise InputError(
            f"{recipe['model']}: {type(model).__name__} cannot keep packed examples apart: expected a model whose "
            "layers mix tokens by attention alone"
        )
    base.model.set_attn_implementation(PACKED)
    return _with_lora(model, recipe["lora"]) if recipe["method"] == "lora" else model


def _on_same_memory(model: Any) -> Any:
    return copy.deepcopy(model, {id(w): torch.nn.Parameter(w.detach(), w.requires_grad) for w in model.parameters()})


def _with_lora(model: Any, settings: dict[str, Any]) -> Any:
    from peft import LoraConfig, get_peft_model

    return get_peft_model(
        model,
        LoraConfig(
            r=settings["r"],
            lora_alpha=settings["alpha"],
            lora_dropout=settings["dropout"],
            target_modules=settings["target_modules"],
            task_type="CAUSAL_LM",
        ),
    )


def _loss_curve(trainer: Trainer) -> list[dict[str, float]]:
    curve = [
        {"step": entry["step"], "loss": entry["loss"], "learning_rate": entry["learning_rate"]}
        for entry in trainer.state.log_history
        if "loss" in entry
    ]
    for point in curve:
        if not math.isfinite(point["loss"]):
            raise InputError(f"finetuning: the loss of step {point['step']} is {point['loss']}: lower learning_rate")
    return curve


def _save(trainer: Trainer, base: Base, recipe: dict[str, Any], target: Path) -> None:
    """Write a folder that AutoModelForCausalLM loads, in the recipe's precision; LoRA is merged into the base.

    Weights that lie in parts on several devices are put together by all processes; the first one writes.
    """
    first, in_parts = trainer.is_world_process_zero(), launcher_module(recipe).weights_in_parts(recipe)
    weights = trainer.accelerator.get_state_dict(trainer.model_wrapped) if first or in_parts else None
    if not first:
        return
    # a model of which only the names matter: the trained weights take the place of the base's
    model = _on_same_memory(base.model)
    if recipe["method"] == "lora":
        model = _with_lora(model, recipe["lora"])
    model.load_state_dict(weights, assign=True)
    if recipe["method"] == "lora":
        model = model.merge_and_unload()
    model.tie_weights()
    remove_folder(target)
    model.to(PRECISIONS[recipe["precision"]]).save_pretrained(target)
    base.tokenizer.save_pretrained(target)


def _free(trainer: Trainer) -> None:
    """Give the run's memory back before the next one asks for it."""
    for holder in (trainer, trainer.callback_handler):
        for name in ("model", "model_wrapped", "deepspeed", "optimizer", "lr_scheduler", "train_dataloader"):
            setattr(holder, name, None)
    trainer.accelerator.free_memory()
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
