"""Finetuning: a recipe trained on a subset, through transformers' Trainer, full or LoRA.

The optimiser step is the recipe's ``batch_size`` examples; inside it, micro-batches are laid end to end without
padding, examples blocked from one another, and the output matrix is applied to response tokens only. The loss of a
step is the mean over its response tokens. Steps are never packed across: that would change their number and weights.
"""

import json
import logging
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl
import torch
from torch.nn import functional
from torch.utils.data import Dataset
from transformers import Trainer, TrainerCallback, TrainingArguments, set_seed
from transformers.trainer_utils import get_last_checkpoint

from instructmining.batching import packed_mask
from instructmining.errors import InputError
from instructmining.files import write_json
from instructmining.joblog import progress
from instructmining.models import load_causal_lm, load_tokenizer
from instructmining.prompts import Encoded, encode

_log = logging.getLogger(__name__)


def finetune(examples: pl.DataFrame, recipe: dict[str, Any], model_path: str, work: Path) -> dict[str, Any]:
    """Train ``recipe`` on ``examples`` (columns instruction, input, output) and save into ``work / "model"``.

    A checkpoint found in ``work`` is taken up again. Returns the contents of train.json but for names and provenance.
    With several processes every one calls this; the first one saves. Errors: InputError if no row can be supervised.
    """
    start = time.monotonic()
    set_seed(recipe["seed"])
    tokenizer = load_tokenizer(model_path, recipe["revision"])
    encoded = encode(examples, tokenizer, recipe["template"], recipe["max_length"], recipe["max_prompt_length"])
    rows = [example for example in encoded if example.start < len(example.ids)]
    if not rows:
        raise InputError(f"finetuning: none of {len(encoded)} examples has a response token within max_length")
    model = load_causal_lm(model_path, recipe["revision"], recipe["precision"], recipe["device"])
    if recipe["method"] == "lora":
        model = _with_lora(model, recipe["lora"])
    trainer = PackedTrainer(
        model=model,
        args=training_arguments(recipe, work),
        train_dataset=_Rows(rows),
        data_collator=pack,
        callbacks=[_Progress(recipe["checkpoint_minutes"])],
    )
    # our own counting below: the labels given are already those of the response tokens
    trainer.model_accepts_loss_kwargs = True
    loaded = time.monotonic()
    trainer.train(resume_from_checkpoint=get_last_checkpoint(str(work)))
    trained = time.monotonic()
    _save(trainer, tokenizer, work / "model")
    return {
        "examples": len(encoded),
        "examples_without_supervised_tokens": len(encoded) - len(rows),
        "examples_truncated": sum(example.truncated for example in rows),
        "tokens": sum(len(row.ids) for row in rows),
        "supervised_tokens": sum(len(row.ids) - row.start for row in rows),
        "steps": trainer.state.global_step,
        "seconds": {
            "load": round(loaded - start, 3),
            "train": round(trained - loaded, 3),
            "save": round(time.monotonic() - trained, 3),
        },
        "loss_curve": [
            {"step": entry["step"], "loss": entry["loss"], "learning_rate": entry["learning_rate"]}
            for entry in trainer.state.log_history
            if "loss" in entry
        ],
    }


def training_arguments(recipe: dict[str, Any], work: Path) -> TrainingArguments:
    """Trainer's arguments from the recipe: one source of batch size, precision and schedule for every launcher."""
    processes = recipe["gpus"] * recipe["nodes"] if recipe["launcher"] != "single" else 1
    return TrainingArguments(
        output_dir=str(work),
        num_train_epochs=recipe["epochs"],
        per_device_train_batch_size=recipe["micro_batch_size"],
        gradient_accumulation_steps=recipe["batch_size"] // (recipe["micro_batch_size"] * processes),
        learning_rate=recipe["learning_rate"],
        lr_scheduler_type=recipe["scheduler"],
        warmup_steps=recipe["warmup_ratio"],
        weight_decay=recipe["weight_decay"],
        adam_beta1=0.9,
        adam_beta2=0.999,
        max_grad_norm=1.0,
        seed=recipe["seed"],
        bf16=recipe["precision"] == "bfloat16" and recipe["device"] == "cuda",
        activation_checkpointing=recipe["activation_checkpointing"],
        use_cpu=recipe["device"] == "cpu",
        deepspeed=deepspeed_config(recipe) if recipe["launcher"] == "deepspeed" else None,
        ddp_backend="gloo" if recipe["device"] == "cpu" and processes > 1 else None,
        save_strategy="no",
        save_total_limit=1,
        logging_steps=1,
        report_to=[],
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=recipe["device"] == "cuda",
    )


def deepspeed_config(recipe: dict[str, Any]) -> dict[str, Any]:
    """DeepSpeed's config; what Trainer knows already is ``auto``: the recipe stays the one source."""
    return {
        "train_micro_batch_size_per_gpu": "auto",
        "gradient_accumulation_steps": "auto",
        "gradient_clipping": "auto",
        "bf16": {"enabled": "auto"},
        "zero_optimization": {
            "stage": recipe["zero_stage"],
            "overlap_comm": recipe["device"] == "cuda",
            "stage3_gather_16bit_weights_on_model_save": True,
        },
        "zero_allow_untested_optimizer": True,
    }


def launch(examples: pl.DataFrame, recipe: dict[str, Any], model_path: str, work: Path) -> dict[str, Any]:
    """Run ``finetune`` here, or in the processes that the recipe's launcher starts on this machine."""
    work.mkdir(parents=True, exist_ok=True)
    if recipe["launcher"] == "single":
        return finetune(examples, recipe, model_path, work)
    examples.write_parquet(work / "examples.parquet")
    write_json(work / "job.json", {"recipe": recipe, "model_path": model_path})
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={recipe['gpus']}"]
    done = subprocess.run([*command, "-m", "instructmining.finetune", str(work)], check=False)
    if done.returncode:
        raise RuntimeError(f"{recipe['launcher']} with {recipe['gpus']} processes ended with status {done.returncode}")
    found: dict[str, Any] = json.loads((work / "train.json").read_text())
    return found


def pack(rows: list[Encoded]) -> dict[str, torch.Tensor]:
    """Collate examples end to end: (1, total) ids and positions, the block mask, and which positions predict what.

    ``logits_to_keep`` are the positions whose logits are needed, ``labels`` the tokens that follow them.
    """
    ids = torch.tensor([token for row in rows for token in row.ids])
    lengths = [len(row.ids) for row in rows]
    offsets = [sum(lengths[:i]) for i in range(len(rows))]
    # the first token of an example has nothing before it to be predicted from
    targets = torch.cat(
        [torch.arange(max(row.start, 1), len(row.ids)) + at for row, at in zip(rows, offsets, strict=True)]
    )
    labels = ids[targets]
    return {
        "input_ids": ids[None],
        "position_ids": torch.cat([torch.arange(length) for length in lengths])[None],
        "attention_mask": packed_mask(lengths),
        "logits_to_keep": targets - 1,
        "labels": labels,
        "shift_labels": labels,
    }


class PackedTrainer(Trainer):
    """Trainer whose loss is the sum over response tokens divided by their number in the whole optimiser step."""

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        labels = inputs.pop("labels")
        inputs.pop("shift_labels")
        output = model(**inputs, use_cache=False)
        total = functional.cross_entropy(output.logits[0].float(), labels, reduction="sum")
        # gradients are averaged over processes, and the count is of all of them
        loss = total * self.accelerator.num_processes / num_items_in_batch
        return (loss, output) if return_outputs else loss


class _Rows(Dataset[Encoded]):
    def __init__(self, rows: list[Encoded]):
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: int) -> Encoded:
        return self.rows[place]


class _Progress(TrainerCallback):
    """Logs steps and the time left; asks for a checkpoint every ``minutes``: none inside a run of two."""

    def __init__(self, minutes: float):
        self.seconds = minutes * 60
        self.saved = time.monotonic()

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.advance = progress(state.max_steps - state.global_step, "steps")

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.advance(1)
        if time.monotonic() - self.saved >= self.seconds and state.global_step < state.max_steps:
            self.saved = time.monotonic()
            control.should_save = True


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


def _save(trainer: Trainer, tokenizer: Any, target: Path) -> None:
    """Write a folder that AutoModelForCausalLM loads; LoRA weights are merged into the base."""
    model = trainer.accelerator.unwrap_model(trainer.model)
    if hasattr(model, "merge_and_unload"):
        if trainer.is_world_process_zero():
            model.merge_and_unload().save_pretrained(target)
    else:
        trainer.save_model(str(target))
    if trainer.is_world_process_zero():
        for left in target.glob("training_args.bin"):
            left.unlink()  # a pickle that names this machine's paths
        tokenizer.save_pretrained(target)


def clear(work: Path) -> None:
    """Remove checkpoints and job files once the model is in its place."""
    shutil.rmtree(work, ignore_errors=True)


def _main() -> None:
    work = Path(sys.argv[1])
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    job = json.loads((work / "job.json").read_text())
    figures = finetune(pl.read_parquet(work / "examples.parquet"), job["recipe"], job["model_path"], work)
    if int(os.environ.get("RANK", "0")) == 0:
        write_json(work / "train.json", figures)


if __name__ == "__main__":
    _main()
