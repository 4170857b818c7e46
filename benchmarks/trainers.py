"""The ways to finetune that benchmarks/finetune.py compares; each runs in a process of its own.

All read the same folder: a model, its tokenizer, one optimiser step of examples, a recipe. All keep the step, the
micro-batches, the optimiser and the precision of the recipe; no way evaluates or writes checkpoints.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from instructmining.jobs.files import read_json

Found = dict[str, Any]


def plain_ways() -> dict[str, Callable[[Any, Path, Any], list[float]]]:
    """Name -> function of the clock, the folder and the recipe that trains and gives the loss of each step."""
    return {"ours": ours, "ours, DeepSpeed": ours, "Trainer, padded": trainer, "TRL SFTTrainer, padded": trl}


def ours(steps: Any, folder: Path, recipe: Found) -> list[float]:
    import polars as pl

    from instructmining.training.finetune import finetune, load_base

    steps.imported()
    examples = pl.read_parquet(folder / "examples.parquet")
    figures = finetune(examples, recipe, load_base(recipe, str(folder / "model")), folder / "work")
    return [point["loss"] for point in figures["loss_curve"]]


def trainer(steps: Any, folder: Path, recipe: Found) -> list[float]:
    """transformers' Trainer as its documentation has it: padded to the longest of the batch, labels -100 outside."""
    from transformers import DataCollatorForSeq2Seq, Trainer, TrainingArguments

    steps.imported()
    tokenizer, model, rows = loaded(folder, recipe)
    collate = DataCollatorForSeq2Seq(tokenizer, label_pad_token_id=-100)
    arguments = TrainingArguments(**plain_arguments(folder, recipe))
    found = Trainer(model=model, args=arguments, train_dataset=rows, data_collator=collate)
    found.train()
    return [entry["loss"] for entry in found.state.log_history if "loss" in entry]


def trl(steps: Any, folder: Path, recipe: Found) -> list[float]:
    """SFTTrainer without packing; activation checkpointing, on by default there, as the recipe has it."""
    import datasets
    from trl import SFTConfig, SFTTrainer

    steps.imported()
    datasets.disable_progress_bars()
    tokenizer, model, rows = loaded(folder, recipe)
    arguments = SFTConfig(
        **plain_arguments(folder, recipe), gradient_checkpointing=recipe["activation_checkpointing"], max_length=None
    )
    data = datasets.Dataset.from_list(rows)
    found = SFTTrainer(model=model, args=arguments, train_dataset=data, processing_class=tokenizer)
    found.train()
    return [entry["loss"] for entry in found.state.log_history if "loss" in entry]


def loaded(folder: Path, recipe: Found) -> tuple[Any, Any, list[Found]]:
    """Tokenizer, model with float32 weights and usual attention, and rows of ``input_ids`` and ``labels``."""
    import polars as pl

    from instructmining.models.loading import load_causal_lm, load_tokenizer
    from instructmining.models.prompts import encode

    tokenizer = load_tokenizer(str(folder / "model"))
    encoded = encode(pl.read_parquet(folder / "examples.parquet"), tokenizer, recipe["template"], recipe["max_length"])
    rows = [{"input_ids": row.ids, "labels": [-100] * row.start + row.ids[row.start :]} for row in encoded]
    return tokenizer, load_causal_lm(str(folder / "model")), rows


def plain_arguments(folder: Path, recipe: Found) -> Found:
    found = {
        "output_dir": str(folder / "work"),
        "num_train_epochs": recipe["epochs"],
        "per_device_train_batch_size": recipe["micro_batch_size"],
        "gradient_accumulation_steps": recipe["batch_size"] // recipe["micro_batch_size"],
        "learning_rate": recipe["learning_rate"],
        "lr_scheduler_type": recipe["scheduler"],
        "max_grad_norm": recipe["max_grad_norm"],
        "seed": recipe["seed"],
        "bf16": recipe["precision"] == "bfloat16",
        "use_cpu": recipe["device"] == "cpu",
        "save_strategy": "no",
        "logging_steps": 1,
        "report_to": [],
        "disable_tqdm": True,
    }
    return found | ({"activation_checkpointing": True} if recipe["activation_checkpointing"] else {})


class Steps:
    """When what happened, in seconds since the process began: by the wall, or those that the process had."""

    def __init__(self, device: str, kind: str, began: float):
        self._device, self._kind, self._began = device, kind, began
        self.seconds_imports = 0.0
        self.begins: list[float] = []
        self.ends: list[float] = []

    def now(self) -> float:
        if self._device == "cuda":
            import torch

            torch.cuda.synchronize()
        return time.process_time() if self._kind == "cpu" else time.time() - self._began

    def imported(self) -> None:
        """To be called when a way has its modules; Trainer, in whatever form, then tells of every step."""
        from transformers import TrainerCallback
        from transformers import trainer as module

        steps = self

        class Clock(TrainerCallback):
            def on_step_begin(self, *_: Any, **__: Any) -> None:
                steps.begins.append(steps.now())

            def on_step_end(self, *_: Any, **__: Any) -> None:
                steps.ends.append(steps.now())

        module.DEFAULT_CALLBACKS.append(Clock)
        self.seconds_imports = self.now()


def run(way: str, folder: Path, began: float) -> Found:
    """Figures of one way in this process, which must do nothing else."""
    job = read_json(folder / "job.json")
    recipe: Found = job["recipe"]
    if "DeepSpeed" in way:
        recipe |= {"launcher": "deepspeed", "zero_stage": job["zero_stage"]}
        os.environ |= {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1"}
        os.environ["MASTER_PORT"] = str(job["port"])
    import torch

    torch.set_num_threads(job["threads"])
    steps = Steps(recipe["device"], job["clock"], began)
    losses = plain_ways()[way](steps, folder, recipe)
    # from end to end: the next step's data are in it. The first step warms up
    ends = steps.ends if len(steps.ends) > 1 else [steps.begins[0], *steps.ends]
    return {
        "imports": steps.seconds_imports,
        "load": steps.begins[0] - steps.seconds_imports,
        "first step": steps.ends[0] - steps.begins[0],
        "a step": (ends[-1] - ends[0]) / (len(ends) - 1),
        "peak": torch.cuda.max_memory_allocated() if recipe["device"] == "cuda" else peak_memory(),
        "losses": losses,
    }


def peak_memory() -> int:
    """Bytes; not from getrusage, whose maximum begins at the size of the process that started this one."""
    status = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
