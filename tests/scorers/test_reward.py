"""Reward models: the head, the texts, the truncation, and checkpoints that must not load."""

import json
from types import SimpleNamespace

import polars as pl
import pytest
import torch
from safetensors.torch import load_file
from tokenizers.processors import TemplateProcessing
from transformers import AutoModelForSequenceClassification, AutoTokenizer, GPTNeoXConfig, GPTNeoXModel

from instructmining.jobs.errors import InputError
from instructmining.models.attention import use_packed_attention
from instructmining.scorers import reward
from scoring import scored
from tiny import SENTENCES, tiny_classifier, tiny_gpt_neox_reward

SETTINGS = {"revision": "main", "precision": "float32", "device": "cpu", "max_length": 2048, "batch_tokens": 200}
ROWS = [*((prompt, SENTENCES[3]) for prompt in SENTENCES), ("Hi", ""), ("A <|endoftext|> inside", "Yes. " * 30)]


def examples(rows):
    columns = {"id": map(str, range(len(rows))), "instruction": (p for p, _ in rows), "output": (r for _, r in rows)}
    frame = pl.DataFrame({name: list(values) for name, values in columns.items()})
    return frame.with_columns(input=pl.lit("")) if rows else frame.cast(pl.String).with_columns(input=pl.lit(""))


@pytest.fixture(scope="module")
def open_assistant(tmp_path_factory):
    return tiny_gpt_neox_reward(tmp_path_factory.mktemp("oa") / "model")


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    return tiny_classifier(tmp_path_factory.mktemp("stock") / "model")


def plain_open_assistant(folder, texts):
    """One row at a time, float64, from the weights in the file."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    weights = {name: value.double() for name, value in load_file(folder / "model.safetensors").items()}
    settings = json.loads((folder / "config.json").read_text())
    for name in ("model_type", "architectures", "pooling"):
        del settings[name]
    backbone = GPTNeoXModel(GPTNeoXConfig(**settings)).double().eval()
    backbone.load_state_dict(
        {n.removeprefix("gpt_neox."): v for n, v in weights.items() if n.startswith("gpt_neox")}, strict=False
    )
    values = []
    for text in texts:
        ids = tokenizer(text, return_tensors="pt", add_special_tokens=False).input_ids
        with torch.no_grad():
            last = backbone(ids, use_cache=False).last_hidden_state[0, -1]
        values.append(float(weights["out_proj.weight"][0] @ last + weights["out_proj.bias"][0]))
    return values


def test_open_assistant_equals_one_row_at_a_time(open_assistant):
    found = scored(reward, examples(ROWS), {**SETTINGS, "model_path": str(open_assistant)})
    texts = [f"<|prompter|>{prompt}<|endoftext|><|assistant|>{response}<|endoftext|>" for prompt, response in ROWS]
    plain = plain_open_assistant(open_assistant, texts)
    assert found["reward"].to_list() == pytest.approx(plain, abs=1e-5)
    assert max(plain) - min(plain) > 0.1  # the model can tell them apart, so the test can fail
    assert not found["truncated"].any() and found["reason"].null_count() == len(ROWS)


@pytest.mark.parametrize("kind", ["open_assistant", "classifier"])
def test_order_and_batches_change_nothing(kind, request):
    path = str(request.getfixturevalue(kind))
    found = scored(reward, examples(ROWS), {**SETTINGS, "model_path": path})["reward"].to_list()
    alone = scored(reward, examples(ROWS), {**SETTINGS, "model_path": path, "batch_tokens": 1})["reward"].to_list()
    turned = scored(reward, examples(ROWS[::-1]), {**SETTINGS, "model_path": path, "batch_tokens": 9999})
    assert found == pytest.approx(alone, abs=1e-5) and found == pytest.approx(turned["reward"][::-1], abs=1e-5)


def test_no_rows(open_assistant):
    assert scored(reward, examples([]), {**SETTINGS, "model_path": str(open_assistant)}).height == 0


def test_stock_model_equals_its_own_forward_one_row_at_a_time(classifier):
    found = scored(reward, examples(ROWS), {**SETTINGS, "model_path": str(classifier)})
    tokenizer = AutoTokenizer.from_pretrained(classifier)
    model = AutoModelForSequenceClassification.from_pretrained(classifier, dtype=torch.float64).eval()
    for (prompt, response), value in zip(ROWS, found["reward"], strict=True):
        chat = [{"role": "user", "content": prompt}, {"role": "assistant", "content": response}]
        text = tokenizer.apply_chat_template(chat, tokenize=False)
        ids = tokenizer(text, return_tensors="pt", add_special_tokens=False).input_ids
        with torch.no_grad():
            assert value == pytest.approx(float(model(ids).logits[0, 0]), abs=1e-5)


def test_padding_with_the_end_token_still_reads_the_last_token(classifier, tmp_path):
    model = reward.load_model(str(classifier), "main", "float32", "cpu")
    tokenizer = AutoTokenizer.from_pretrained(classifier)
    end = tokenizer.eos_token_id
    short, long = [70, 71, end], [80, 81, 82, 83, 84, end]
    assert use_packed_attention(model)
    together = reward.reader(model, pad=end)([short, long])
    alone = torch.cat([reward.reader(model, pad=tokenizer.pad_token_id)([ids]) for ids in (short, long)])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)


def test_pair_where_there_is_no_chat_template(classifier):
    tokenizer = AutoTokenizer.from_pretrained(classifier)
    tokenizer.chat_template = None
    end = tokenizer.eos_token
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single=f"$A {end}", pair=f"$A {end} $B:1 {end}:1", special_tokens=[(end, tokenizer.eos_token_id)]
    )
    [(ids, cut)] = reward.stock_ids(tokenizer, ["What is it?"], ["Paris."], 100)
    assert ids == tokenizer("What is it?", "Paris.").input_ids and not cut and ids.count(tokenizer.eos_token_id) == 2
    [(ids, cut)] = reward.stock_ids(tokenizer, ["What is it?"], ["Paris."], 4)
    assert len(ids) == 4 and cut


def test_a_pair_that_nothing_divides_is_refused(classifier):
    tokenizer = AutoTokenizer.from_pretrained(classifier)
    tokenizer.chat_template = None
    tokenizer.backend_tokenizer.post_processor = None
    with pytest.raises(InputError, match="no chat template, and nothing between the texts of a pair"):
        reward.stock_ids(tokenizer, ["What is it?"], ["Paris."], 100)


def test_a_model_that_its_neighbours_padding_changes_reads_one_row_at_a_time(classifier, caplog):
    model = SimpleNamespace(dtype=torch.float32)

    def read(rows):  # the mean over what is padded, as if there were no mask
        width = max(map(len, rows))
        return torch.tensor([sum(row) / width for row in rows], dtype=torch.float64)

    assert reward._budget(model, read, 1000).tokens == 1 and "one row at a time" in caplog.text
    assert reward._budget(model, lambda rows: torch.tensor([float(sum(row)) for row in rows]), 1000).tokens == 1000


def test_a_long_chat_keeps_its_end(classifier):
    tokenizer = AutoTokenizer.from_pretrained(classifier)
    [(ids, cut)] = reward.stock_ids(tokenizer, ["word " * 50], ["Paris."], 20)
    assert cut and len(ids) == 20 and tokenizer.decode(ids).endswith("Paris.<|endoftext|>")


@pytest.mark.parametrize(
    ("prompt", "response", "kept", "taken"),
    [
        (10, 20, 12, 22),  # all of it: the two markers count
        (400, 20, 300 - 22, 22),  # the response whole, the prompt's end
        (400, 290, 256, 44),  # the prompt never below 256
        (100, 290, 102, 198),  # a short prompt leaves its room to the response
    ],
)
def test_open_assistant_truncation(open_assistant, prompt, response, kept, taken):
    tokenizer = AutoTokenizer.from_pretrained(open_assistant)
    [(ids, cut)] = reward.open_assistant_ids(tokenizer, ["a" * prompt], ["b" * response], 300)
    before = tokenizer("<|prompter|>" + "a" * prompt + "<|endoftext|>").input_ids
    after = tokenizer("<|assistant|>" + "b" * response + "<|endoftext|>").input_ids
    assert len(before) == prompt + 2 and len(after) == response + 2
    assert ids == before[-kept:] + after[:taken]
    assert cut == (len(ids) < len(before) + len(after))


@pytest.mark.parametrize("missing", ["out_proj.weight", "out_proj.bias", "gpt_neox.final_layer_norm.weight"])
def test_a_checkpoint_without_a_weight_does_not_load(tmp_path, missing):
    path = tiny_gpt_neox_reward(tmp_path, without=(missing,))
    with pytest.raises(InputError, match=missing):
        reward.load_model(str(path), "main", "float32", "cpu")


def test_a_stock_model_without_its_head_does_not_load(tmp_path, open_assistant):
    """The trap: GPTNeoXForSequenceClassification takes the backbone and makes up a head."""
    for file in open_assistant.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    description = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**description, "model_type": "gpt_neox", "num_labels": 1}))
    with pytest.raises(InputError, match=r"score\.weight"):
        reward.load_model(str(tmp_path), "main", "float32", "cpu")


def test_other_unusable_checkpoints(tmp_path):
    with pytest.raises(InputError, match="a reward model has one label, this one has 3"):
        reward.load_model(str(tiny_classifier(tmp_path / "three", labels=3)), "main", "float32", "cpu")
    path = tiny_gpt_neox_reward(tmp_path / "mean")
    description = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps({**description, "pooling": "mean"}))
    with pytest.raises(InputError, match="pooling is 'mean'"):
        reward.load_model(str(path), "main", "float32", "cpu")
