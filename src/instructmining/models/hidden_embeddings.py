"""Embeddings of examples by a causal model: its last hidden states over the text, pooled.

Cherry_LLM clusters the mean over the prompt (Li et al. 2023, arXiv 2308.12032, section 2.1); DEITA compares the state
at the last token of the whole example, its end token (Liu et al. 2023, arXiv 2312.15685, section 2.4; hkust-nlp/deita,
``embedder``).
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import polars as pl
import torch

from instructmining.jobs.errors import InputError
from instructmining.jobs.log import progress
from instructmining.models.attention import budget, hidden_states, last_states
from instructmining.models.batching import over_batches, packed
from instructmining.models.embeddings import unit_vectors
from instructmining.models.loading import check_length, load_causal_lm, load_tokenizer
from instructmining.models.prompts import encode

Rows = list[list[int]]


def score(parts: Iterable[pl.DataFrame], settings: dict[str, Any]) -> Iterator[pl.DataFrame]:
    """Columns ``id``, ``vector`` (float32 array of unit norm, as wide as the hidden states) and ``truncated``.

    ``settings["text"]`` is ``prompt`` (the template up to the response) or ``example`` (prompt, response and end token,
    unless cut); ``settings["pooling"]`` is ``mean`` or ``last_token``. Null where one text alone does not fit in
    memory. InputError if the model lacks a weight, its tokenizer an end token, or what it gives is no direction.
    """
    tokenizer = load_tokenizer(settings["model_path"], settings["revision"])
    model = load_causal_lm(settings["model_path"], settings["revision"], settings["precision"], settings["device"])
    check_length(model, settings["max_length"], settings["model_path"])
    tokens, advance = budget(model, settings["batch_tokens"]), progress(settings["rows"], "texts embedded")
    pool = {"mean": mean_states, "last_token": last_states}[settings["pooling"]]
    limits = (settings["max_length"], settings["max_prompt_length"])
    width = model.config.get_text_config().hidden_size
    for examples in parts:
        whole = settings["text"] == "example"
        texts = examples if whole else examples.with_columns(output=pl.lit(""))
        encoded = encode(texts, tokenizer, settings["template"], *limits, end=whole)

        @torch.inference_mode()
        def launch(rows: list[int], ids: Rows = [row.ids for row in encoded]) -> Callable[[], list[np.ndarray]]:  # noqa: B006
            found = pool(model, [ids[row] for row in rows])
            return lambda: list(found.float().cpu().numpy())

        found = over_batches([len(row.ids) for row in encoded], tokens, launch, advance)
        try:
            vectors = unit_vectors(found, width)
        except ValueError as error:
            raise InputError(f"{settings['model']}: {error}: the model is broken") from error
        yield examples.select("id").with_columns(
            vectors, truncated=pl.Series([row.truncated for row in encoded], dtype=pl.Boolean)
        )


def mean_states(model: Any, rows: Rows) -> torch.Tensor:
    """The mean over each row's tokens of the backbone's states, (rows, hidden), float32."""
    inputs = packed(rows, model.device)
    states = hidden_states(model, inputs).last_hidden_state[0].float()
    lengths = inputs["cu_seq_lens_q"].diff()
    row = torch.repeat_interleave(torch.arange(len(rows), device=model.device), lengths)
    sums = torch.zeros(len(rows), states.shape[1], device=model.device).index_add_(0, row, states)
    return sums / lengths[:, None]
