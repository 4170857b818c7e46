"""Finetuning: a recipe trained on a subset, through transformers' Trainer, full or LoRA.

The optimiser step is the recipe's ``batch_size`` examples; inside it, micro-batches are laid end to end without
padding, examples blocked from one another, and the output matrix is applied to response tokens only. The loss of a
step is the mean over its response tokens. Steps are never packed across: that would change their number and weights.
"""

import logging
import time
from pathlib import Path
from typing import Any

import polars as pl
import torch
from torch.nn import functional
from torch.utils.data import Dataset
from transformers import Trainer, TrainerCallback, TrainingArguments, set_seed
from transformers.trainer_utils import get_last_checkpoint

from instructmining.attention import PACKED, use_packed_attention
from instructmining.batching import packed
from instructmining.errors import InputError
from instructmining.files import read_json, remove_folder
from instructmining.joblog import progress
from instructmining.models import PRECISIONS, check_device, check_length, load_causal_lm, load_tokenizer
from instructmining.prompts import Encoded, encode

_log = logging.getLogger(__name__)


def finetune(examples: pl.DataFrame, recipe: dict[str, Any], model_path: str, work: Path) -> dict[str, Any]:
    """Train ``recipe`` on ``examples`` (columns instruction, input, output) and save into ``work / "model"``.

    A checkpoint found in ``work`` is taken up again: whoever calls sees to it that it is of the same job (launch.py).
    With several processes every one calls this; the first one saves. Returns the contents of train.json but for names
    and provenance; ``tokens`` are of all epochs. Errors: InputError if no row can be supervised.
    """
    start = time.monotonic()
    set_seed(recipe["seed"])
    check_device(recipe["device"])
    # before the model: the launcher's processes learn from it which device is theirs, and ZeRO-3 how to load
    arguments = training_arguments(recipe, work)
    tokenizer = load_tokenizer(model_path, recipe["revision"])
    encoded = encode(examples, tokenizer, recipe["template"], recipe["max_length"], recipe["max_prompt_length"])
    rows = [example for example in encoded if example.start < len(example.ids)]
    if not rows:
        raise InputError(f"finetuning: none of {len(encoded)} examples has a response token within max_length")
    model = load_causal_lm(model_path, recipe["revision"], weights_precision(recipe))
    check_length(model, recipe["max_length"], model_path)
    _pack_attention(model, recipe)
    if recipe["method"] == "lora":
        model = _with_lora(model, recipe["lora"])
    trainer = PackedTrainer(
        model=model,
        args=arguments,
        train_dataset=_Rows(rows, multiple=recipe["micro_batch_size"] * arguments.world_size),
        data_collator=pack,
        callbacks=[_Progress(recipe["checkpoint_minutes"])],
    )
    # our own counting below: the labels given are already those of the response tokens
    trainer.model_accepts_loss_kwargs = True
    loaded = time.monotonic()
    trainer.train(resume_from_checkpoint=last_checkpoint(work))
    trained = time.monotonic()
    _save(trainer, tokenizer, work / "model", PRECISIONS[recipe["precision"]])
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
        "loss_curve": [
            {"step": entry["step"], "loss": entry["loss"], "learning_rate": entry["learning_rate"]}
            for entry in trainer.state.log_history
            if "loss" in entry
        ],
    }


def _pack_attention(model: Any, recipe: dict[str, Any]) -> None:
    if recipe["launcher"] == "deepspeed" and recipe["zero_stage"] == 3:
        model.set_attn_implementation(PACKED)  # its weights are spread over the processes: it cannot be tried out
    elif not use_packed_attention(model):
        raise InputError(
            f"{recipe['model']}: {type(model).__name__} cannot keep packed examples apart: expected a model whose "
            "layers mix tokens by attention alone"
        )


def weights_precision(recipe: dict[str, Any]) -> str:
    """Precision that the trained weights are held in.

    float32 for full finetuning, whatever the products are computed in: a step of 2e-5 is lost in bfloat16 on two
    weights of three. DeepSpeed keeps a float32 copy of its own; LoRA's base is not trained.
    """
    held_elsewhere = recipe["method"] == "lora" or recipe["launcher"] == "deepspeed"
    return str(recipe["precision"]) if held_elsewhere else "float32"


def last_checkpoint(work: Path) -> str | None:
    """The newest whole checkpoint: the job may have died while writing one, and Trainer writes its state last."""
    for folder in work.glob("checkpoint-*"):
        try:
            read_json(folder / "trainer_state.json")
        except InputError:
            remove_folder(folder)
    found = get_last_checkpoint(str(work))
    return None if found is None else str(found)


def training_arguments(recipe: dict[str, Any], work: Path) -> TrainingArguments:
    """Trainer's arguments from the recipe: one source of batch size, precision and schedule for every launcher."""
    processes = 1 if recipe["launcher"] == "single" else recipe["gpus"]
    arguments = TrainingArguments(
        output_dir=str(work),
        num_train_epochs=recipe["epochs"],
        per_device_train_batch_size=recipe["micro_batch_size"],
        gradient_accumulation_steps=recipe["batch_size"] // (recipe["micro_batch_size"] * processes),
        learning_rate=recipe["learning_rate"],
        # plain "constant" would ignore the warm-up
        lr_scheduler_type="constant_with_warmup" if recipe["scheduler"] == "constant" else recipe["scheduler"],
        warmup_steps=recipe["warmup_ratio"],
        weight_decay=recipe["weight_decay"],
        adam_beta1=0.9,
        adam_beta2=0.999,
        max_grad_norm=recipe["max_grad_norm"],
        seed=recipe["seed"],
        bf16=recipe["precision"] == "bfloat16",
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
    if recipe["launcher"] == "single":
        # one process takes one GPU: DataParallel would cut packed rows apart
        arguments._n_gpu = min(1, arguments.n_gpu)
    return arguments


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


def pack(rows: list[Encoded]) -> dict[str, Any]:
    """Collate examples end to end, and which positions predict what.

    ``logits_to_keep`` are the positions whose logits are needed, ``labels`` the tokens that follow them.
    """
    inputs = packed([row.ids for row in rows], torch.device("cpu"))
    offsets = inputs["cu_seq_lens_q"].tolist()[:-1]
    # the first token of an example has nothing before it to be predicted from
    targets = torch.cat(
        [torch.arange(max(row.start, 1), len(row.ids)) + at for row, at in zip(rows, offsets, strict=True)]
    )
    labels = inputs["input_ids"][0, targets]
    return {**inputs, "logits_to_keep": targets - 1, "labels": labels, "shift_labels": labels}


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
    """Rows, filled up to a multiple with rows of nothing: several processes would else train on some rows twice."""

    def __init__(self, rows: list[Encoded], multiple: int):
        nothing = Encoded(rows[0].ids[:1], 1, False)
        self.rows = [*rows, *[nothing] * (-len(rows) % multiple if torch.distributed.is_initialized() else 0)]

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
        due = torch.tensor(time.monotonic() - self.saved >= self.seconds, dtype=torch.uint8, device=args.device)
        if torch.distributed.is_initialized():
            torch.distributed.broadcast(due, 0)  # saving is done together: one clock decides
        if due and state.global_step < state.max_steps:
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


def _save(trainer: Trainer, tokenizer: Any, target: Path, dtype: torch.dtype) -> None:
    """Write a folder that AutoModelForCausalLM loads, in the recipe's precision; LoRA is merged into the base."""
    model = trainer.accelerator.unwrap_model(trainer.model)
    first = trainer.is_world_process_zero()
    if hasattr(model, "merge_and_unload"):
        if first:
            model.merge_and_unload().to(dtype).save_pretrained(target)
    elif trainer.is_deepspeed_enabled:
        trainer.save_model(str(target))
    elif first:
        model.to(dtype).save_pretrained(target)
    if first:
        (target / "training_args.bin").unlink(missing_ok=True)  # a pickle that names this machine's paths
        tokenizer.save_pretrained(target)
