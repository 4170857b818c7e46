"""Instruction-following difficulty: the numbers of Cherry_LLM and Superfiltering, over tokenizer families."""

import math

import polars as pl
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

from instructmining.models.likelihood import Reading
from instructmining.models.prompts import render
from instructmining.scorers import causal
from scoring import scored
from tiny import SENTENCES
from tokenizers_ import save_family

SETTINGS = {
    **{"revision": "main", "precision": "float32", "device": "cpu", "template": "alpaca", "max_length": 1024},
    **{"max_prompt_length": None, "batch_tokens": 400, "outputs": {"ifd": "ifd", "perplexity": "perplexity"}},
}
ROWS = [(SENTENCES[i], "" if i % 2 else "Some input", f"{SENTENCES[-i - 1]} {i}") for i in range(len(SENTENCES))]


def examples(rows):
    frame = pl.DataFrame(rows, schema=dict.fromkeys(("instruction", "input", "output"), pl.String), orient="row")
    return frame.with_row_index("id").with_columns(pl.col("id").cast(pl.String))


@pytest.fixture(scope="module", params=["gpt_neox", "llama_2", "llama_3", "gemma"])
def folder(request, tmp_path_factory):
    """A causal model with the tokenizer of a family: with and without a beginning token, bytes or SentencePiece."""
    path = tmp_path_factory.mktemp(request.param)
    save_family(request.param, path)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(AutoTokenizer.from_pretrained(path)),
        **{"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4},
        **{"max_position_embeddings": 4096, "initializer_range": 0.2},
    )
    LlamaForCausalLM(config).save_pretrained(path)
    return str(path)


class Plain:
    """The public scripts' way: one text at a time, the whole vocabulary, here in float64."""

    def __init__(self, folder):
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64).eval()

    def losses(self, text, max_length):
        ids = self.tokenizer.encode(text, return_tensors="pt", truncation=True, max_length=max_length)
        with torch.no_grad():
            logits = self.model(ids).logits[0]
        return torch.nn.functional.cross_entropy(logits[:-1], ids[0, 1:], reduction="none")

    def cherry_part(self, text, response, max_length):
        """Mean loss of the response's tokens: Cherry_LLM's data_by_IFD.py, ``get_loss_part_text``."""
        start = len(self.tokenizer.encode(text[: text.rfind(response)]))
        return float(self.losses(text, max_length)[start - 1 :].mean())

    def count(self, text):
        return len(self.tokenizer.encode(text))


def test_ifd_is_cherry_s_ratio_of_mean_losses(folder):
    found = scored(causal, examples(ROWS), {**SETTINGS, "model_path": folder})
    plain = Plain(folder)
    expected = []
    for instruction, given, output in ROWS:
        whole = render("alpaca", instruction, given, plain.tokenizer) + output
        conditional = plain.cherry_part(whole, output, 1024)
        expected.append(conditional / plain.cherry_part("### Response:" + output, output, 1024))
    assert found["ifd"].to_list() == pytest.approx(expected, rel=1e-5)
    assert max(expected) - min(expected) > 0.01  # the rows differ, so the test can fail
    assert not found["truncated"].any() and found["reason"].null_count() == len(ROWS)


def test_ifd_perplexity_is_superfiltering_s_ratio_of_perplexities(folder):
    settings = {**SETTINGS, "model_path": folder, "template": "plain", "outputs": {"ifd_perplexity": "ifd_perplexity"}}
    found = scored(causal, examples(ROWS), settings)["ifd_perplexity"].to_list()
    plain = Plain(folder)
    expected = []
    for instruction, given, output in ROWS:
        whole = f"{instruction}\n{given}\n{output}" if given else f"{instruction}\n{output}"
        conditional = plain.cherry_part(whole, output, 1024)
        expected.append(math.exp(conditional - float(plain.losses(output, 1024).mean())))
    assert found == pytest.approx(expected, rel=1e-5)


def test_a_cut_response_is_cut_alike_without_its_prompt(folder):
    """As many response tokens are scored alone as with the prompt: both scripts cut the second text accordingly."""
    instruction, _, output = ROWS[0]
    plain = Plain(folder)
    for template, marker in (("alpaca", "### Response:"), ("plain", "")):
        prompt = render(template, instruction, "", plain.tokenizer)
        limit = plain.count(prompt) + 5
        outputs = {"ifd": "ifd"} if marker else {"ifd_perplexity": "ifd_perplexity"}
        settings = {**SETTINGS, "model_path": folder, "template": template, "max_length": limit, "outputs": outputs}
        found = scored(causal, examples([(instruction, "", output)]), settings)
        conditional = plain.cherry_part(prompt + output, output, limit)
        if marker:
            alone = plain.losses(marker + output, plain.count(marker) + 5)[plain.count(marker) - 1 :]
            expected = conditional / float(alone.mean())
        else:
            alone = plain.losses(output, limit - plain.count(prompt) + 1)
            expected = math.exp(conditional - float(alone.mean()))
        assert len(alone) == 5
        assert found.row(0)[1] == pytest.approx(expected, rel=1e-5)
        assert found["truncated"].to_list() == [True]


def test_rows_that_cannot_be_scored(folder):
    outputs = {"perplexity": "perplexity", "ifd": "ifd", "ifd_perplexity": "ifd_perplexity"}
    settings = {**SETTINGS, "model_path": folder, "outputs": outputs, "max_length": 400}
    found = scored(causal, examples([("Say it.", "", ""), ("word " * 600, "", "No."), ROWS[0]]), settings)
    assert found["perplexity"].is_null().to_list() == [True, True, False]
    assert found["ifd"].is_null().to_list() == found["ifd_perplexity"].is_null().to_list() == [True, True, False]
    assert found["reason"].to_list() == ["no response token within max_length"] * 2 + [None]
    assert found["truncated"].to_list() == [False, True, False]


def test_a_response_of_one_token_has_no_perplexity_alone_without_a_beginning_token(folder):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    settings = {**SETTINGS, "model_path": folder, "template": "plain"}
    outputs = {"perplexity": "perplexity", "ifd_perplexity": "ifd_perplexity"}
    found = scored(causal, examples([("Say it.", "", "a")]), {**settings, "outputs": outputs})
    begins = len(tokenizer.encode("a")) > 1
    assert found["perplexity"].null_count() == 0
    assert found["ifd_perplexity"].null_count() == (0 if begins else 1)
    assert found["reason"].to_list() == [None if begins else "a response of one token has no likelihood alone"]


def test_a_response_that_is_certain_alone_has_no_ratio():
    reading = Reading(0.5, 1, [], None)
    assert causal._difficulty("ifd", reading, Reading(0.0, 1, [], None)) is None
    assert causal._difficulty("ifd", reading, reading) == 1.0


def test_parts_and_batches_change_nothing(folder):
    outputs = {"ifd": "ifd", "ifd_perplexity": "ifd_perplexity", "coherence": "coherence"}
    settings = {**SETTINGS, "model_path": folder, "outputs": outputs}
    whole = scored(causal, examples(ROWS), settings)
    apart = scored(causal, examples(ROWS), {**settings, "batch_tokens": 1}, rows_at_once=2)
    for column in outputs:
        assert whole[column].to_list() == pytest.approx(apart[column].to_list(), rel=1e-5)
