"""Packed attention: each row gets what it gets alone, whatever its neighbours, in every architecture that is let in."""

from itertools import pairwise
from types import SimpleNamespace

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from instructmining.models import attention
from instructmining.models.attention import PACKED, budget, hidden_states, packed_attention, use_packed_attention
from instructmining.models.batching import packed

CPU = torch.device("cpu")
COMMON = {
    **{"vocab_size": 100, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2},
    **{"num_attention_heads": 4, "max_position_embeddings": 128, "initializer_range": 0.3},
    **{"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2},
}
GROUPED = {**COMMON, "num_key_value_heads": 2}
GEMMA = {**GROUPED, "head_dim": 16, "query_pre_attn_scalar": 16, "sliding_window": 8}
ARCHITECTURES = {
    "LlamaConfig": GROUPED,
    "GPTNeoXConfig": COMMON,
    "GPT2Config": {"vocab_size": 100, "n_embd": 64, "n_layer": 2, "n_head": 4, "initializer_range": 0.3},
    "OPTConfig": {
        **{"vocab_size": 100, "hidden_size": 64, "ffn_dim": 96, "num_hidden_layers": 2, "num_attention_heads": 4},
        **{"word_embed_proj_dim": 64, "init_std": 0.3},
    },
    "Qwen3Config": {**GROUPED, "head_dim": 16},
    "MistralConfig": {**GROUPED, "sliding_window": 8},  # shorter than the rows below
    "Gemma2Config": GEMMA,  # and scores held by tanh
    "Gemma3TextConfig": GEMMA,
}
# what mixes rows outside of attention, or has an attention of its own
REFUSED = {
    "BloomConfig": {"vocab_size": 100, "hidden_size": 64, "n_layer": 2, "n_head": 4},
    # a window that attention is not told of, and frequencies for all rows that the longest decides
    "PhimoeConfig": {**GROUPED, "sliding_window": 8, "num_local_experts": 2, "num_experts_per_tok": 1},
    "LlamaConfig": {**GROUPED, "rope_parameters": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 1e4}},
    "MambaConfig": {"vocab_size": 100, "hidden_size": 64, "num_hidden_layers": 2},
    "GPTJConfig": {"vocab_size": 100, "n_embd": 64, "n_layer": 2, "n_head": 4, "rotary_dim": 8, "n_positions": 128},
    "FalconConfig": {"vocab_size": 100, "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4},
}


def model_of(name, config):
    torch.manual_seed(0)
    return transformers.AutoModelForCausalLM.from_config(getattr(transformers, name)(**config)).eval()


def rows_of(*lengths):
    generator = torch.Generator().manual_seed(1)
    return [torch.randint(3, 100, (length,), generator=generator).tolist() for length in lengths]


def alone(model, row):
    with torch.no_grad():
        return model.base_model(input_ids=torch.tensor([row]), use_cache=False).last_hidden_state[0]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_packed_rows_are_as_they_are_alone(name):
    plain, model = model_of(name, ARCHITECTURES[name]), model_of(name, ARCHITECTURES[name])
    assert use_packed_attention(model)
    rows = rows_of(9, 30, 1, 17)
    with torch.no_grad():
        found = hidden_states(model, packed(rows, CPU)).last_hidden_state[0]
    torch.testing.assert_close(found, torch.cat([alone(plain, row) for row in rows]), atol=2e-5, rtol=0)


@pytest.mark.parametrize("name", ["LlamaConfig", "MistralConfig", "Gemma2Config"])
def test_suffixes_are_as_if_each_alone_followed_its_row(name):
    plain, model = model_of(name, ARCHITECTURES[name]), model_of(name, ARCHITECTURES[name])
    assert use_packed_attention(model)
    rows, suffixes = rows_of(9, 20), rows_of(3, 5)
    with torch.no_grad():
        found = hidden_states(model, packed(rows, CPU, suffixes)).last_hidden_state[0]
    expected = [alone(plain, row) for row in rows]
    expected += [alone(plain, [*row, *suffix])[len(row) :] for row in rows for suffix in suffixes]
    torch.testing.assert_close(found, torch.cat(expected), atol=2e-5, rtol=0)


@pytest.mark.parametrize("name", REFUSED)
def test_a_model_that_would_mix_rows_reads_them_one_at_a_time(name, caplog):
    model = model_of(name, REFUSED[name])
    assert budget(model, 1000).tokens == 1
    assert "one row at a time" in caplog.text
    [row] = rows_of(11)
    with torch.no_grad():
        found = hidden_states(model, packed([row], CPU)).last_hidden_state[0]
    torch.testing.assert_close(found, alone(model_of(name, REFUSED[name]), row))
    with pytest.raises(ValueError, match="cannot keep packed rows apart, and was given several"):
        hidden_states(model, packed([row, row], CPU))


def varlen_by_definition(query, key, value, cu_q, cu_k, max_q, max_k, *, scale, window_size, enable_gqa):
    """What flash-attention documents: scores of each row's queries with its keys, the last query at the last key."""
    assert enable_gqa == (query.shape[1] != key.shape[1])
    groups = query.shape[1] // key.shape[1]
    found = []
    for (a, b), (c, d) in zip(pairwise(cu_q), pairwise(cu_k), strict=True):
        assert b - a <= max_q and d - c <= max_k
        ahead = torch.arange(d - c)[None] - (torch.arange(b - a) + (d - c) - (b - a))[:, None]
        left, right = window_size
        seen = (ahead <= right if right >= 0 else ahead == ahead) & (-ahead <= left if left >= 0 else ahead == ahead)
        keys, values = (states[c:d].repeat_interleave(groups, dim=1) for states in (key, value))
        scores = torch.einsum("qhw,khw->hqk", query[a:b], keys) * scale
        found.append(torch.einsum("hqk,khw->qhw", scores.masked_fill(~seen, -torch.inf).softmax(-1), values))
    return torch.cat(found)


@settings(max_examples=30)
@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=4),
    st.lists(st.integers(1, 3), max_size=2),
    st.sampled_from([None, 3]),
)
def test_the_gpu_kernel_is_called_with_what_gives_the_same(lengths, tails, window):
    """The kernel itself needs a GPU; its arguments are checked against its definition."""
    rows, suffixes = [[1] * length for length in lengths], [[2] * tail for tail in tails]
    batch = packed(rows, CPU, suffixes)
    total = batch["input_ids"].shape[1]
    generator = torch.Generator().manual_seed(total)
    query, key, value = (torch.randn(1, heads, total, 8, generator=generator) for heads in (4, 2, 2))
    module = SimpleNamespace(is_causal=True)
    expected, _ = packed_attention(module, query, key, value, None, scaling=0.3, sliding_window=window, **batch)
    if "key_index" in batch:
        key, value = key[:, :, batch["key_index"]], value[:, :, batch["key_index"]]
    original, attention.varlen_attn = attention.varlen_attn, varlen_by_definition
    try:
        found = attention._flash(
            *(query, key, value),
            (batch["cu_seq_lens_q"], batch["cu_seq_lens_k"]),
            (batch["max_length_q"], batch["max_length_k"]),
            *(0.3, True, window),
        )
    finally:
        attention.varlen_attn = original
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_position_bias_is_added_from_its_corner_and_all_keys_are_seen():
    lengths = [5, 3]
    batch = packed([[1] * length for length in lengths], CPU)
    query, key, value, bias = (torch.randn(1, 2, *shape) for shape in ((8, 4), (8, 4), (8, 4), (6, 6)))
    module = SimpleNamespace(is_causal=False)
    found, _ = packed_attention(module, query, key, value, None, scaling=1.0, position_bias=bias, **batch)
    for start, stop in ((0, 5), (5, 8)):
        part = (states[:, :, start:stop] for states in (query, key, value))
        size = stop - start
        expected = functional.scaled_dot_product_attention(*part, attn_mask=bias[:, :, :size, :size], scale=1.0)
        torch.testing.assert_close(found[:, start:stop], expected.transpose(1, 2))


def test_attention_sinks_are_refused():
    states = torch.randn(1, 2, 3, 4)
    with pytest.raises(ValueError, match="sinks"):
        packed_attention(SimpleNamespace(is_causal=True), states, states, states, None, s_aux=states)


def test_the_name_does_not_reach_a_saved_config(tmp_path):
    model = model_of("LlamaConfig", GROUPED)
    assert use_packed_attention(model)
    model.save_pretrained(tmp_path)
    assert PACKED not in (tmp_path / "config.json").read_text()
