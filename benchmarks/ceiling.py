"""The least that a scorer must compute, and how fast this device computes it: FLOPs needed over measured FLOP/s."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import nn

Shape = tuple[int, int]


def matrices(module: Any) -> list[Shape]:
    """(inputs, outputs) of every linear layer inside ``module``."""
    return [(part.in_features, part.out_features) for part in module.modules() if isinstance(part, nn.Linear)]


def weights(shapes: Iterable[Shape]) -> int:
    return sum(rows * columns for rows, columns in shapes)


def decoder_flops(model: Any, lengths: Sequence[int], outputs: int, words: int) -> float:
    """FLOPs of a causal model on rows of these lengths, whose output matrix of ``words`` is read ``outputs`` times.

    2 x weights of the layers' matrices x tokens; attention, scores and sums of values over the half that a token may
    see: 2 products x 2 x n^2 / 2 x (heads x head size) a layer; 2 x hidden x words x outputs. Embeddings, norms,
    activations, rotary positions and softmax count nothing.
    """
    config = model.config
    width = config.num_attention_heads * (
        getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    )
    squares = sum(length**2 for length in lengths)
    layers = 2 * weights(matrices(model.base_model)) * sum(lengths)
    return layers + 2 * squares * width * config.num_hidden_layers + 2 * config.hidden_size * words * outputs


def encoder_flops(layers: Any, depth: int, width: int, lengths: Sequence[int]) -> float:
    """2 x weights x tokens; attention sees all: 2 products x 2 x n^2 x width a layer."""
    return 2 * weights(matrices(layers)) * sum(lengths) + 4 * sum(length**2 for length in lengths) * width * depth


def t5_flops(model: Any, lengths: Sequence[int]) -> float:
    """The encoder, and the decoder's first step as `instructmining.models.t5` computes it.

    A row and layer of that step: every matrix of the layer once but the query and key of the attention to itself (one
    key: its weight is 1), and the n states of the row twice a head, 2 x 2 x n x heads x width. The output: Yes less No.
    """
    config = model.config
    inner = config.num_heads * config.d_kv
    own = weights(matrices(model.decoder)) - config.num_decoder_layers * 2 * config.d_model * inner
    memory = 4 * config.num_heads * config.d_model * sum(lengths) * config.num_decoder_layers
    step = 2 * (own + config.d_model) * len(lengths) + memory
    return encoder_flops(model.encoder, config.num_layers, inner, lengths) + step


class Products:
    """FLOP/s of products of ``tokens`` rows with matrices of these shapes, in their proportions.

    ``measure`` may be called at any time; the best second of every shape counts, over all calls.
    """

    def __init__(
        self, shapes: Iterable[Shape], tokens: int, dtype: torch.dtype, device: str, now: Callable[[], float]
    ) -> None:
        self._now, self._shapes, self._tokens, self._dtype, self._device = now, Counter(shapes), tokens, dtype, device
        self._seconds = dict.fromkeys(self._shapes, float("inf"))

    @torch.inference_mode()
    def measure(self, repeats: int = 3) -> None:
        for inputs, outputs in self._shapes:
            settings: dict[str, Any] = {"dtype": self._dtype, "device": self._device}
            left, right = torch.randn(self._tokens, inputs, **settings), torch.randn(outputs, inputs, **settings)
            launches = 20 if self._device == "cuda" else 1
            for _ in range(repeats + 1):
                start = self._now()
                for _ in range(launches):
                    nn.functional.linear(left, right)
                seconds = (self._now() - start) / launches
                self._seconds[inputs, outputs] = min(seconds, self._seconds[inputs, outputs])

    @property
    def flops_per_second(self) -> float:
        flops = 2 * self._tokens * sum(count * rows * columns for (rows, columns), count in self._shapes.items())
        return flops / sum(count * self._seconds[shape] for shape, count in self._shapes.items())


def clock(device: str, kind: str) -> Callable[[], float]:
    """Seconds so far: ``wall``, once the device has nothing left to do, or ``cpu``, those that this process had."""

    def wall() -> float:
        if device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()

    return wall if kind == "wall" else time.process_time
