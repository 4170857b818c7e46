"""The training loop: transformers' Trainer on rows laid end to end, with a loss over response tokens alone."""

import time
from typing import Any

import torch
from torch.nn import functional
from torch.utils.data import Dataset
from transformers import Trainer, TrainerCallback

from instructmining.jobs.log import progress
from instructmining.models.batching import packed
from instructmining.models.prompts import Encoded


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
        total = functional.cross_entropy(output.logits.squeeze(0).float(), labels, reduction="sum")
        # gradients are averaged over processes, and the count is of all of them
        loss = total * self.accelerator.num_processes / num_items_in_batch
        return (loss, output) if return_outputs else loss

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:
        """Nobody reads it, and Trainer's own goes through all parameters in every micro-batch."""
        return 0

    def _save_rng_state(self, output_dir: str) -> None:
        """The last that every process adds to a checkpoint; what marks it as whole waits for all of them."""
        super()._save_rng_state(output_dir)
        if torch.distributed.is_initialized():
            torch.distributed.barrier()

    def _build_accelerator_args(self, **kwargs: Any) -> dict[str, Any]:
        found: dict[str, Any] = super()._build_accelerator_args(**kwargs)
        for handler in found["kwargs_handlers"]:
            # DDP else holds every gradient twice, and copies it
            handler.gradient_as_bucket_view = True
        return found


class Rows(Dataset[Encoded]):
    """Rows in an order of their own in each epoch, which depends on the seed and nothing else.

    A sampler of Trainer's would be wrapped where several processes share it, and then forget after an interruption
    which epoch it is in. Rows of nothing fill the end up to a ``multiple``: some would else be seen twice.
    """

    def __init__(self, rows: list[Encoded], seed: int, multiple: int):
        self.rows, self.seed = rows, seed
        self.nothing = [Encoded(rows[0].ids[:1], 1, False)] * (-len(rows) % multiple)
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        order = torch.randperm(len(self.rows), generator=torch.Generator().manual_seed(self.seed + epoch))
        self.order = [*(self.rows[place] for place in order), *self.nothing]

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, place: int) -> Encoded:
        return self.order[place]


class Progress(TrainerCallback):
    """Logs steps and the time left; asks for a checkpoint every ``minutes``: none inside a run of two."""

    def __init__(self, minutes: float):
        self.seconds = minutes * 60
        self.saved = time.monotonic()

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.advance = progress(state.max_steps - state.global_step, "steps")

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.advance(1)
        due = time.monotonic() - self.saved >= self.seconds
        if torch.distributed.is_initialized():
            decided = torch.tensor(due, dtype=torch.uint8, device=args.device)
            torch.distributed.broadcast(decided, 0)  # saving is done together: one clock decides
            due = bool(decided)
        if due and state.global_step < state.max_steps:
            self.saved = time.monotonic()
            control.should_save = True
