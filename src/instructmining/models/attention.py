"""Attention over rows laid end to end: nothing is padded, and no row sees another.

Registered with transformers under ``PACKED``; a model switched to it takes the batches of `models.batching`.
The keyword arguments are transformers' own for FlashAttention (``cu_seq_lens_q`` and so on), which its models hand down
to every layer, and two more: ``key_index``, for rows that share a prefix, and T5's ``position_bias``. Queries are the
last ones of their keys, as in flash-attention (Dao 2023).
"""

import logging
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch.nn import functional
from torch.nn.attention.varlen import varlen_attn
from transformers import AttentionInterface

from instructmining.models.batching import Budget, packed
from instructmining.models.loading import backbone

PACKED = "packed"
_log = logging.getLogger(__name__)
_HALF = (torch.bfloat16, torch.float16)


def packed_attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    is_causal: bool | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Attention of (1, heads, total, width) queries; (1, total, heads, width).

    ``cu_seq_lens_q``: int32, where each row begins, and the total. ``cu_seq_lens_k``: the same of its keys, which are
    the rows' own, or those that ``key_index`` (keys,) picks. ``borders``: both as lists, since to ask a GPU for them
    would wait for it in every layer. ``position_bias`` (1, heads, longest, longest): added to
    the scores of every row, from its top left corner. ValueError for attention sinks: nothing here computes them.
    """
    if kwargs.get("s_aux") is not None:
        raise ValueError("attention sinks are not supported")
    causal = module.is_causal if is_causal is None else is_causal
    if query.is_cuda and torch.is_autocast_enabled("cuda"):
        # rotary positions make queries and keys float32 again
        half = torch.get_autocast_dtype("cuda")
        query, key, value = query.to(half), key.to(half), value.to(half)
    if (index := kwargs.get("key_index")) is not None:
        key, value = key[:, :, index], value[:, :, index]
    window, cap, bias = (kwargs.get(name) for name in ("sliding_window", "softcap", "position_bias"))
    if (windows := kwargs.get("windows")) is not None:
        windows.append(window)
    plain = bias is None and cap is None and not dropout
    if plain and _flash_takes(query, value):
        borders = kwargs["cu_seq_lens_q"], kwargs["cu_seq_lens_k"]
        longest = kwargs["max_length_q"], kwargs["max_length_k"]
        return _flash(query, key, value, borders, longest, scaling, causal, window), None
    settings = {"dropout": dropout, "scaling": scaling, "causal": causal, "window": window, "cap": cap}
    return _row_by_row(query, key, value, kwargs["borders"], bias, settings), None


def _flash_takes(query: torch.Tensor, value: torch.Tensor) -> bool:
    if not query.is_cuda or query.dtype not in _HALF or torch.cuda.get_device_capability(query.device) < (8, 0):
        return False
    return query.shape[3] == value.shape[3] <= 256


def _flash(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    borders: tuple[torch.Tensor, torch.Tensor],
    longest: tuple[int, int],
    scaling: float | None,
    causal: bool,
    window: int | None,
) -> torch.Tensor:
    left = -1 if window is None else window - 1
    found: Any = varlen_attn(
        query[0].transpose(0, 1),
        key[0].transpose(0, 1),
        value[0].transpose(0, 1),
        borders[0],
        borders[1],
        longest[0],
        longest[1],
        scale=scaling,
        window_size=(left, 0) if causal else (left, left),
        enable_gqa=query.shape[1] != key.shape[1],
    )
    return found[None]


def _row_by_row(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    borders: tuple[list[int], list[int]],
    bias: torch.Tensor | None,
    settings: dict[str, Any],
) -> torch.Tensor:
    """One call a row: on a CPU faster than any mask; on a GPU for what flash-attention does not compute."""
    queries, keys = [[stop - start for start, stop in pairwise(found)] for found in borders]
    # split, not sliced: the gradient of a slice is as large as what it was cut from
    rows = zip(query.split(queries, 2), key.split(keys, 2), value.split(keys, 2), strict=True)
    return torch.cat([_one_row(*row, bias, **settings) for row in rows], dim=2).transpose(1, 2)


def _one_row(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    bias: torch.Tensor | None,
    dropout: float,
    scaling: float | None,
    causal: bool,
    window: int | None,
    cap: float | None,
) -> torch.Tensor:
    queries, keys = query.shape[2], key.shape[2]
    mask = None if bias is None else bias[:, :, :queries, :keys]
    square = causal and queries == keys and bias is None
    if (causal and not square) or cap or (window is not None and keys > window):
        seen = _seen(queries, keys, causal, window, query.device)
        mask = seen if mask is None else mask.masked_fill(~seen, -torch.inf)
        square = False
    grouped = query.shape[1] != key.shape[1]
    if cap:
        return _capped(query, key, value, mask, scaling, cap, dropout)
    return functional.scaled_dot_product_attention(
        query, key, value, mask, dropout, is_causal=square, scale=scaling, enable_gqa=grouped
    )


def _seen(queries: int, keys: int, causal: bool, window: int | None, device: torch.device) -> torch.Tensor:
    """(queries, keys): which keys each query sees; the last query stands at the last key."""
    own = torch.arange(keys - queries, keys, device=device)[:, None]
    ahead = torch.arange(keys, device=device)[None] - own
    seen = ahead <= 0 if causal else torch.ones_like(ahead, dtype=torch.bool)
    return seen if window is None else seen & (ahead.abs() < window)


def _capped(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    scaling: float | None,
    cap: float,
    dropout: float,
) -> torch.Tensor:
    """Scores held within ``cap`` by tanh (Gemma 2): no fused kernel has that."""
    groups = query.shape[1] // key.shape[1]
    key, value = (states.repeat_interleave(groups, dim=1) for states in (key, value))
    scores = query @ key.transpose(2, 3) * (scaling or query.shape[3] ** -0.5)
    scores = torch.tanh(scores / cap) * cap
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    weights = functional.softmax(scores, dim=-1, dtype=torch.float32).to(query.dtype)
    return functional.dropout(weights, dropout) @ value


AttentionInterface.register(PACKED, packed_attention)


def use_packed_attention(model: Any) -> bool:
    """Switch a decoder to packed attention, if it then gives every row what it gives it alone. False: it does not.

    Asked of the model itself, with two rows of random tokens: architectures that mix rows elsewhere (recurrent layers,
    positions from a mask, attention of their own) do so without a word. What short rows cannot show is read from its
    config: windows that attention is not told of, and rotary positions that depend on the longest row.
    """
    usual, config = model.config._attn_implementation, model.config.get_text_config()
    if usual == PACKED:
        return True
    generator = torch.Generator().manual_seed(0)
    rows = [torch.randint(config.vocab_size, (length,), generator=generator).tolist() for length in (7, 24)]
    windows: list[int | None] = []
    reason = "positions depend on the longest row" if _long_positions(config) else ""
    with torch.inference_mode():
        alone = [hidden_states(model, {"input_ids": torch.tensor([row], device=model.device)}) for row in rows]
        expected = torch.cat([output.last_hidden_state[0] for output in alone]).float()
        try:
            model.set_attn_implementation(PACKED)
            found = hidden_states(model, packed(rows, model.device), windows=windows).last_hidden_state[0].float()
            error = float((found - expected).norm() / expected.norm())
            if model.config._attn_implementation != PACKED or not windows:
                reason = reason or "its attention cannot be replaced"
            elif error > (1e-3 if model.dtype == torch.float32 else 5e-2):
                reason = reason or f"rows change by {error:.0%} when they are packed"
            elif getattr(config, "sliding_window", None) and not any(windows):
                reason = reason or "its window is not told to attention"
        except torch.OutOfMemoryError:
            raise
        except (IndexError, KeyError, RuntimeError, TypeError, ValueError) as problem:
            reason = reason or str(problem)
    if reason:
        _log.warning("%s reads one row at a time: %s", type(model).__name__, reason)
        model.set_attn_implementation(usual)
    return not reason


def _long_positions(config: Any) -> bool:
    """Rotary frequencies that change with the length of what is read, for all rows of a batch."""
    rope = getattr(config, "rope_parameters", None) or {}
    kinds = [rope, *(part for part in rope.values() if isinstance(part, dict))]
    return any(kind.get("rope_type") in ("dynamic", "longrope") for kind in kinds)


def budget(model: Any, batch_tokens: int) -> Budget:
    """Tokens of a batch for a decoder that reads packed rows; one row a batch where it cannot."""
    return Budget(batch_tokens if use_packed_attention(model) else 1)


def hidden_states(model: Any, inputs: dict[str, Any], **more: Any) -> Any:
    """The backbone's output for a packed batch, without the output matrix: last_hidden_state is (1, total, hidden).

    A model that was not switched to packed attention gets the batch as what it then is: a single row. ValueError for
    several, which it would read as one.
    """
    if model.config._attn_implementation != PACKED:
        if len(inputs.get("borders", [()])[0]) > 2:
            raise ValueError(f"{type(model).__name__} cannot keep packed rows apart, and was given several")
        inputs = {"input_ids": inputs["input_ids"]}
        more.pop("windows", None)
    return backbone(model)(use_cache=False, **inputs, **more)


def last_states(model: Any, rows: Sequence[Sequence[int]]) -> torch.Tensor:
    """The backbone's state at each row's last token, (rows, hidden)."""
    inputs = packed(rows, model.device)
    found: torch.Tensor = hidden_states(model, inputs).last_hidden_state[0, inputs["cu_seq_lens_q"][1:] - 1]
    return found
