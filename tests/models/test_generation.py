"""Responses of a model: those of one row at a time, the same in any batch, and not made twice."""

import json
import types
from pathlib import Path

import polars as pl
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from generating import EXAMPLES, SAMPLED, SETTINGS
from instructmining.jobs.errors import InputError
from instructmining.models import decoding, generation
from instructmining.models.decoding import Manner, end_tokens, ended
from instructmining.models.generation import generate, manner, prompt_ids
from instructmining.models.loading import load_tokenizer
from instructmining.models.prompts import TEMPLATES, encode
from tiny import tiny_llama
from tokenizers_ import FAMILIES, save_family


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return str(tiny_llama(tmp_path_factory.mktemp("model")))


@pytest.fixture
def made(tmp_path, folder):
    """Generate with changed settings, each time from nothing."""
    count = iter(range(100))

    def made(examples=EXAMPLES, model=folder, **changed):
        return generate(model, examples, {**SETTINGS, **changed}, tmp_path / f"{next(count)}.jsonl")

    return made


@torch.no_grad()
def plain(folder, examples=EXAMPLES, steps=24):
    """Greedy, one row at a time, without a cache and without `transformers.generate`: (response, tokens, finish)."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
    for start in prompt_ids(examples, tokenizer, "alpaca_short"):
        ids = list(start)
        while len(ids) < len(start) + steps and ids[-1] != tokenizer.eos_token_id:
            ids.append(int(model(torch.tensor([ids]), use_cache=False).logits[0, -1].argmax()))
        text = tokenizer.decode(ids[len(start) :], skip_special_tokens=True).strip()
        yield text, len(ids) - len(start), "stop" if ids[-1] == tokenizer.eos_token_id else "length"


def test_greedy_responses_are_those_of_one_row_at_a_time(made, folder):
    found = made()
    assert found.schema == pl.Schema(generation.SCHEMA)
    assert found["id"].to_list() == EXAMPLES["id"].to_list()
    assert found.drop("id").rows() == list(plain(folder))
    assert found["response"].n_unique() > 4


@pytest.mark.parametrize("sampling", [{}, SAMPLED], ids=["greedy", "sampled"])
def test_no_row_depends_on_its_batch(made, sampling, monkeypatch):
    together = made(**sampling)
    assert made(batch_tokens=1, **sampling).equals(together)
    assert made(EXAMPLES.reverse(), batch_tokens=10_000, **sampling).reverse().equals(together)
    assert made(EXAMPLES.tail(1), **sampling).equals(together.tail(1))
    monkeypatch.setattr(decoding, "_FIRST_ROUND", 5)
    assert made(**sampling).equals(together)
    shorter = made(max_new_tokens=11, **sampling)
    pairs = zip(shorter["response"], together["response"], strict=True)
    assert all(long.startswith(short.rstrip("\N{REPLACEMENT CHARACTER}")) for short, long in pairs)


def test_samples_depend_on_seed_and_id(made):
    first = made(**SAMPLED)["response"].to_list()
    other = made(seed=1, **SAMPLED)["response"].to_list()
    renamed = made(EXAMPLES.with_columns(id="other" + pl.col("id")), **SAMPLED)["response"].to_list()
    greedy = made()["response"].to_list()
    for one in (other, renamed, greedy):
        assert sum(a == b for a, b in zip(first, one, strict=True)) < 4
    assert made(temperature=1e-6)["response"].to_list() == greedy
    assert made(temperature=1.0, top_p=1e-9)["response"].to_list() == greedy


def test_a_models_own_generation_config_gives_end_tokens_and_nothing_else(made, folder, tmp_path):
    expected = made()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    model.save_pretrained(tmp_path / "own")
    tokenizer.save_pretrained(tmp_path / "own")
    own = {"do_sample": True, "temperature": 5.0, "repetition_penalty": 9.0, "max_length": 3, "num_beams": 2}
    own |= {"no_repeat_ngram_size": 1, "suppress_tokens": list(range(300)), "eos_token_id": tokenizer.eos_token_id}
    (tmp_path / "own/generation_config.json").write_text(json.dumps(own))
    assert made(model=str(tmp_path / "own")).equals(expected)
    row = expected["response"].to_list().index(max(expected["response"], key=len))
    (prompt,) = prompt_ids(EXAMPLES[row], tokenizer, "alpaca_short")
    ids = model.generate(torch.tensor([prompt]), max_new_tokens=24, do_sample=False)[0, len(prompt) :].tolist()
    end = next(place for place, token in enumerate(ids) if token not in ids[:place] and place > 3)
    own["eos_token_id"] = [tokenizer.eos_token_id, ids[end]]
    (tmp_path / "own/generation_config.json").write_text(json.dumps(own))
    found = made(EXAMPLES[row], model=str(tmp_path / "own"))
    assert found["tokens"].to_list() == [end + 1] and found["finish"].to_list() == ["stop"]
    assert found["response"].to_list() == [tokenizer.decode(ids[:end], skip_special_tokens=True).strip()]


@pytest.mark.parametrize("first_round", [5, 128])
def test_a_stop_text_cuts_wherever_its_tokens_lie(made, folder, first_round, monkeypatch):
    monkeypatch.setattr(decoding, "_FIRST_ROUND", first_round)
    whole = made(max_new_tokens=60)
    cuts = [(row, place) for row, text in enumerate(whole["response"]) for place in range(20, len(text) - 10)]
    row, place = next(cut for cut in cuts if "\ufffd" not in whole["response"][cut[0]][cut[1] :][:7])
    text = whole["response"][row]
    stop, before = text[place:][:7], text[:place]
    assert text.index(stop) == place
    found = made(max_new_tokens=60, stop=["never", stop])
    assert found["response"][row] == before.rstrip() and found["finish"][row] == "stop"
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert len(tokenizer(stop).input_ids) > 1
    assert found["tokens"][row] < whole["tokens"][row]
    others = [place for place, other in enumerate(whole["response"]) if stop not in other]
    assert found[others].equals(whole[others]) and len(others) > 4


def test_templates_stop_at_the_next_turn(folder):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ends = types.SimpleNamespace(eos_token_id=[7, 8])
    assert end_tokens(ends, tokenizer) == {7, 8, tokenizer.eos_token_id}
    for template in [*TEMPLATES, "chat"]:
        assert manner(ends, tokenizer, {**SETTINGS, "template": template, "stop": ["x"]}).stops[-1] == "x"
    vicuna, alpaca, chat = (
        manner(ends, tokenizer, {**SETTINGS, "template": name}) for name in ("vicuna", "alpaca", "chat")
    )
    text = "Paris.\n\n### Instruction:\nNext SUPERUSER: USER: more"
    ids = tokenizer(text).input_ids
    for how, expected in {alpaca: "Paris.\n\n", vicuna: "Paris.\n\n### Instruction:\nNext SUPERUSER:"}.items():
        how = Manner(len(ids), how.ends, how.stops)
        assert ended(ids, tokenizer, how).response == expected
    assert chat.ends == {7, 8, tokenizer.eos_token_id}
    tokenizer.chat_template = "{% for m in messages %}{{ m.content }}<|prompter|>\n{% endfor %}"
    assert manner(ends, tokenizer, {**SETTINGS, "template": "chat"}).ends == {
        *chat.ends,
        tokenizer.convert_tokens_to_ids("<|prompter|>"),
    }


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("template", TEMPLATES)
def test_prompts_have_the_tokens_of_training(family, template, tmp_path):
    tokenizer = load_tokenizer(str(save_family(family, tmp_path)))
    trained = EXAMPLES.with_columns(output=pl.lit("The capital of France."))
    expected = [row.ids[: row.start] for row in encode(trained, tokenizer, template, 10_000)]
    assert prompt_ids(EXAMPLES, tokenizer, template) == expected
    cut = [row.ids[: row.start] for row in encode(trained, tokenizer, template, 10_000, 12)]
    assert prompt_ids(EXAMPLES, tokenizer, template, 12) == cut != expected
    if (family, template) == ("llama_2", "vicuna"):
        assert tokenizer.convert_ids_to_tokens(expected[0])[-1].endswith(":")


def test_what_is_finished_is_not_generated_again(folder, tmp_path, monkeypatch):
    done = tmp_path / "work/done.jsonl"
    expected = generate(folder, EXAMPLES, SETTINGS, tmp_path / "other.jsonl")
    first = generate(folder, EXAMPLES.head(3), SETTINGS, done)
    done.write_bytes(done.read_bytes() + b'{"key": "torn, of a killed jo')
    written = []
    original = generation.write
    monkeypatch.setattr(generation, "write", lambda *given: written.append(len(given[2])) or original(*given))
    assert generate(folder, EXAMPLES, {**SETTINGS, "batch_tokens": 99}, done).equals(expected)
    assert written == [5] and expected.head(3).equals(first)
    monkeypatch.setattr(generation, "load_causal_lm", None)
    assert generate(folder, EXAMPLES, SETTINGS, done).equals(expected)
    assert len(done.read_text().splitlines()) == 8
    for changed in ({"temperature": 1.0}, {"max_new_tokens": 9}, {"stop": ["x"]}, {"max_prompt_length": 3}):
        with pytest.raises(TypeError):
            generate(folder, EXAMPLES, {**SETTINGS, **changed}, done)
    done.write_text('{"key": 1}\n' + done.read_text())
    with pytest.raises(InputError, match=r"done\.jsonl, line 1: expected a finished response; delete the file"):
        generate(folder, EXAMPLES, SETTINGS, done)


def test_responses_of_another_model_are_not_taken(folder, tmp_path):
    done = tmp_path / "done.jsonl"
    first = generate(folder, EXAMPLES, SETTINGS, done)
    other = generate(str(tiny_llama(tmp_path / "other", seed=1)), EXAMPLES, SETTINGS, done)
    assert not (other["response"] == first["response"]).any()


def test_a_job_that_dies_loses_only_what_runs(folder, tmp_path, monkeypatch):
    original, calls = decoding._continued, []

    def dies(*given):
        calls.append(len(given[2]))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return original(*given)

    monkeypatch.setattr(decoding, "_continued", dies)
    done = tmp_path / "done.jsonl"
    with pytest.raises(KeyboardInterrupt):
        generate(folder, EXAMPLES, {**SETTINGS, "batch_tokens": 150}, done)
    assert len(done.read_text().splitlines()) == sum(calls[:2]) > 0
    calls += [0] * 3
    found = generate(folder, EXAMPLES, {**SETTINGS, "batch_tokens": 150}, done)
    assert found.drop("id").rows() == list(plain(folder))
    assert sum(calls[6:]) == EXAMPLES.height - sum(calls[:2])


def test_the_same_example_twice_and_none(made):
    twice = made(EXAMPLES[[0, 1, 0]], **SAMPLED)
    assert twice["response"][0] == twice["response"][2] and twice["id"].to_list() == ["id0", "id1", "id0"]
    assert made(EXAMPLES.head(0)).height == 0


def test_long_prompts_are_not_cut(made, folder):
    lengths = list(map(len, prompt_ids(EXAMPLES, AutoTokenizer.from_pretrained(folder), "alpaca_short")))
    limit = sorted(lengths)[3]
    found = made(max_length=limit)
    assert [finish == "too_long" for finish in found["finish"]] == [length > limit for length in lengths]
    assert found.filter(finish="too_long").select("response", "tokens").unique().rows() == [(None, None)]
    assert found.filter(pl.col("finish") != "too_long").height == 4
    letters = [chr(place) for place in range(128)]
    for asked in (None, limit + 1):
        by_room = made(max_length=asked, max_new_tokens=4096 - limit, stop=letters)
        assert by_room["finish"].eq("too_long").equals(found["finish"].eq("too_long"))
    with pytest.raises(InputError, match="max_new_tokens is 4096, and the model has 4096 positions for prompt and"):
        made(max_new_tokens=4096)


def test_memory_that_runs_out_halves_the_batch_and_a_row_alone_is_said(made, folder, monkeypatch):
    expected, original, sizes = made(), decoding._continued, []
    lengths = list(map(len, prompt_ids(EXAMPLES, AutoTokenizer.from_pretrained(folder), "alpaca_short")))
    room = sorted(lengths)[-2]

    def small(model, tokenizer, texts, *more):
        sizes.append(len(texts))
        if sum(map(len, texts)) > room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return original(model, tokenizer, texts, *more)

    monkeypatch.setattr(decoding, "_continued", small)
    found = made(batch_tokens=10_000)
    fits = [length <= room for length in lengths]
    assert sum(fits) == 7 and sizes[0] == 8
    assert found.filter(fits).equals(expected.filter(fits))
    assert set(found.filter([not fit for fit in fits])["finish"]) == {"no_memory"}


def test_the_work_file_lies_where_it_is_told(folder, tmp_path):
    generate(folder, EXAMPLES.head(1), SETTINGS, tmp_path / "a/b/done.jsonl")
    assert [path.name for path in Path(tmp_path).rglob("*.jsonl")] == ["done.jsonl"]
