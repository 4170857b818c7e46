"""The decoder's first step of a T5, and no more: what a yes-or-no question to it needs.

The encoder is transformers' own on packed rows. Its position bias depends on distances alone, so the bias of the
longest row holds that of every other in its top left corner: it is computed once, not per batch.

The decoder, at its first step, has one token a row. It attends to itself alone, and its cross-attention has one query a
row: instead of keys and values for every encoder token (two products of width x width a token and layer), the query is
taken through the key matrix and the weighted mean of the encoder's states through the value matrix. The same numbers,
in another order of multiplication; for T5-large a seventh of all operations less.
"""

from collections.abc import Callable
from typing import Any

import torch

from instructmining.models.attention import PACKED
from instructmining.models.batching import packed


def first_step(model: Any) -> Callable[[list[list[int]]], torch.Tensor]:
    """A function from rows of token ids to decoder states (rows, width), scaled as the model's own head scales them."""
    model.encoder.set_attn_implementation(PACKED)
    attention = model.encoder.block[0].layer[0].SelfAttention
    compute: Any = attention.compute_bias
    kept: list[torch.Tensor] = []
    scale = model.model_dim**-0.5 if model.config.scale_decoder_outputs else 1.0

    def bias(length: int, device: torch.device) -> torch.Tensor:
        if not kept or kept[0].shape[-1] < length:
            kept[:] = [compute(length, length, device=device)]
        return kept[0]

    def read(rows: list[list[int]]) -> torch.Tensor:
        inputs = packed(rows, model.device)
        del inputs["position_ids"]
        longest = bias(inputs["max_length_q"], model.device)
        attention.compute_bias = lambda *_, **__: longest
        memory = model.encoder(**inputs).last_hidden_state[0]
        return _decode(model.decoder, model.config.decoder_start_token_id, memory, inputs["cu_seq_lens_q"]) * scale

    return read


def _decode(decoder: Any, start_token: int, memory: torch.Tensor, borders: torch.Tensor) -> torch.Tensor:
    """Decoder states (rows, width) after the start token; ``memory`` (total, width) holds the rows end to end."""
    padded, absent = _unpack(memory, borders)
    states = decoder.embed_tokens(torch.full((len(padded),), start_token, device=memory.device))
    for block in decoder.block:
        own, cross, feed_forward = block.layer
        # a single key: attention to it is 1, whatever the query
        states = states + own.SelfAttention.o(own.SelfAttention.v(own.layer_norm(states)))
        states = states + _cross_attention(cross.EncDecAttention, cross.layer_norm(states), padded, absent)
        states = feed_forward(states)
    found: torch.Tensor = decoder.final_layer_norm(states)
    return found


def _unpack(memory: torch.Tensor, borders: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows of states padded with zeros (rows, longest, width), and where the padding is (rows, longest)."""
    lengths = borders.diff()
    absent = torch.arange(int(lengths.max()), device=memory.device)[None] >= lengths[:, None]
    found = memory.new_zeros(*absent.shape, memory.shape[1])
    found[~absent] = memory
    return found, absent


def _cross_attention(attention: Any, query: torch.Tensor, memory: torch.Tensor, absent: torch.Tensor) -> torch.Tensor:
    """Attention of one query a row (rows, width) to its row of ``memory``. T5 has no bias here and no scaling."""
    heads, size = attention.n_heads, attention.key_value_proj_dim
    queries = attention.q(query).view(-1, heads, size)
    # (rows, heads, width): what each head looks for, in the space of the memory
    sought = torch.einsum("rhs,hsw->rhw", queries, attention.k.weight.view(heads, size, -1))
    scores = (sought @ memory.transpose(1, 2)).masked_fill(absent[:, None], -torch.inf)
    means = scores.softmax(dim=-1) @ memory
    values = torch.einsum("rhw,hsw->rhs", means, attention.v.weight.view(heads, size, -1))
    found: torch.Tensor = attention.o(values.reshape(len(query), heads * size))
    return found
