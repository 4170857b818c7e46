"""A recipe as Trainer and DeepSpeed want it: the one place that batch size, precision and schedule come from."""

from pathlib import Path
from typing import Any

from transformers import TrainingArguments

from instructmining.training.launchers import launcher_module, launcher_spec


def processes(recipe: dict[str, Any]) -> int:
    """How many processes train together, over all nodes."""
    return int(recipe["gpus"] * recipe["nodes"]) if launcher_spec(recipe).several_processes else 1


def weights_precision(recipe: dict[str, Any]) -> str:
    """Precision that the trained weights are held in.

    float32 for full finetuning, whatever the products are computed in: a step of 2e-5 is lost in bfloat16 on two
    weights of three. DeepSpeed keeps a float32 copy of its own; LoRA's base is not trained.
    """
    held_elsewhere = recipe["method"] == "lora" or launcher_spec(recipe).keeps_float32_copy
    return str(recipe["precision"]) if held_elsewhere else "float32"


def training_arguments(recipe: dict[str, Any], work: Path) -> TrainingArguments:
    """Trainer's arguments, the same for every launcher. Nothing is evaluated, and checkpoints are asked for by time."""
    several = processes(recipe) > 1
    arguments = TrainingArguments(
        output_dir=str(work),
        num_train_epochs=recipe["epochs"],
        per_device_train_batch_size=recipe["micro_batch_size"],
        gradient_accumulation_steps=recipe["batch_size"] // (recipe["micro_batch_size"] * processes(recipe)),
        # Rows have an order of their own
        train_sampling_strategy="sequential",
        optim="adamw_torch_fused",
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
        deepspeed=launcher_module(recipe).deepspeed_config(recipe),
        ddp_backend="gloo" if recipe["device"] == "cpu" and several else None,
        # every weight takes part in every step, and buffers are constants
        ddp_find_unused_parameters=False,
        ddp_broadcast_buffers=False,
        save_strategy="no",
        save_total_limit=1,
        logging_steps=1,
        # it would hide a loss that is not a number, and wait for the GPU twice in every micro-batch
        logging_nan_inf_filter=False,
        report_to=[],
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=recipe["device"] == "cuda",
    )
    if not launcher_spec(recipe).several_processes:
        # one process takes one GPU: DataParallel would cut packed rows apart
        arguments._n_gpu = min(1, arguments.n_gpu)
    return arguments
