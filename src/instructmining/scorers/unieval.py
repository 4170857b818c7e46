"""UniEval's dialogue dimensions (Zhong et al. 2022, arXiv 2210.07197), each a yes-or-no question to a T5.

Value: p(Yes) / (p(Yes) + p(No)) at the decoder's first step, that is sigmoid(logit of Yes - logit of No), so two rows
of the output matrix are all that is needed. Always float32: T5 overflows in float16, and bfloat16 rounding alone adds
noise of 5e-4 to a predicted log-loss. Source: the authors' ``utils.py`` and ``metric/scorer.py``, questions verbatim.

An example here is one turn: its prompt is the dialogue history, and there is no fact, so ``engagingness`` and
``groundedness`` are asked with an empty one.
"""

from typing import Any

import polars as pl
import torch
from transformers import AutoModelForSeq2SeqLM

from instructmining.batching import over_batches, padded
from instructmining.errors import InputError
from instructmining.examples import prompt_text
from instructmining.models import check_device, check_loaded, load_pretrained, load_tokenizer

QUESTIONS = {
    "naturalness": "question: Is this a natural response in the dialogue? </s> response: {output}",
    "coherence": (
        "question: Is this a coherent response given the dialogue history? </s> response: {output}"
        " </s> dialogue history: {history}"
    ),
    "engagingness": (
        "question: Is this an engaging and informative response according to the dialogue history and fact?"
        " </s> response: {output} </s> dialogue history: {history} </s> fact: {fact}"
    ),
    "groundedness": (
        "question: Is this response consistent with knowledge in the fact? </s> response: {output} </s> fact: {fact}"
    ),
    "understandability": ("question: Is this an understandable response in the dialogue? </s> response: {output}"),
}


def question(dimension: str, output: str, history: str, fact: str = "") -> str:
    """The text UniEval reads. ``history`` ends with a blank line; its ``</s>`` become the end token."""
    return QUESTIONS[dimension].format(output=output, history=history, fact=fact)


def score(examples: pl.DataFrame, settings: dict[str, Any]) -> pl.DataFrame:
    """One column per dimension in ``settings["outputs"]``: probability of Yes against No, higher is better.

    Texts over ``max_length`` tokens lose their right end. Null where one text alone does not fit in memory.
    """
    dimensions = list(settings["outputs"])
    texts = [
        question(dimension, output, prompt_text(instruction, given) + "\n\n")
        for instruction, given, output in examples.select("instruction", "input", "output").iter_rows()
        for dimension in dimensions
    ]
    values, cut = judge(texts, settings)
    width = len(dimensions)
    columns = {name: values[place::width] for place, name in enumerate(dimensions)}
    rows = range(examples.height)
    lost = [any(value is None for value in values[row * width : (row + 1) * width]) for row in rows]
    return examples.select(
        "id",
        *(pl.Series(name, column, dtype=pl.Float64) for name, column in columns.items()),
        truncated=pl.Series([any(cut[row * width : (row + 1) * width]) for row in rows], dtype=pl.Boolean),
        reason=pl.when(pl.Series(lost, dtype=pl.Boolean)).then(pl.lit("does not fit in memory")),
    )


def judge(texts: list[str], settings: dict[str, Any]) -> tuple[list[float | None], list[bool]]:
    """Probability of Yes against No for each text (None: out of memory), and whether the text was cut."""
    tokenizer = load_tokenizer(settings["model_path"], settings["revision"])
    device = check_device(settings["device"])
    if settings["precision"] != "float32":
        raise InputError(f"unieval: precision is {settings['precision']}: T5 needs float32")
    model, report = load_pretrained(
        AutoModelForSeq2SeqLM,
        settings["model_path"],
        settings["revision"],
        dtype=torch.float32,
        use_safetensors=True,
        output_loading_info=True,
    )
    check_loaded(settings["model_path"], report)
    model.to(device).eval()
    limit = settings["max_length"]
    yes, no = (tokenizer(word).input_ids[0] for word in ("Yes", "No"))
    if yes == no:
        raise InputError(f"{settings['model_path']}: its tokenizer does not tell Yes from No")
    encoded = tokenizer(texts, truncation=False, verbose=False).input_ids if texts else []
    ids = [row if len(row) <= limit else [*row[: limit - 1], row[-1]] for row in encoded]

    @torch.inference_mode()
    def forward(rows: list[int]) -> list[float]:
        batch = [ids[row] for row in rows]
        mask = padded([[1] * len(row) for row in batch], 0, device)
        hidden = first_step(model, padded(batch, tokenizer.pad_token_id, device), mask)
        difference = hidden @ (model.lm_head.weight[yes] - model.lm_head.weight[no])
        return torch.sigmoid(difference.double()).tolist()

    values = over_batches([len(row) for row in ids], settings["batch_tokens"], forward, "questions")
    return values, [len(row) > limit for row in encoded]


def first_step(model: Any, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Decoder state (batch, width) before the first output token, scaled as the model's own head scales it."""
    memory = model.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
    start = torch.full((len(ids), 1), model.config.decoder_start_token_id, device=ids.device)
    hidden = model.decoder(
        input_ids=start, encoder_hidden_states=memory, encoder_attention_mask=mask, use_cache=False
    ).last_hidden_state[:, 0]
    return hidden * model.model_dim**-0.5 if model.config.scale_decoder_outputs else hidden
