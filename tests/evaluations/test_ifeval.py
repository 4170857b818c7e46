"""IFEval on responses of our own making: the harness's checkers, offline, and the harness's own aggregation."""

import json
import os
import random
import socket
import subprocess
import sys
from pathlib import Path

import nltk
import polars as pl
import pytest
from nltk import tokenize
from nltk.tokenize.punkt import PunktParameters, save_punkt_params

from evaluating import job
from instructmining.data.item_formats import ifeval as parsed
from instructmining.evaluations.ifeval import evaluate
from instructmining.jobs.errors import InputError

PROMPTS = Path(__file__).parents[2] / "../shared/data/ifeval_541.jsonl"
ENGLISH = "the quick brown fox jumps over the lazy dog and then it goes home to sleep in the forest."
RESPONSES = [
    ENGLISH,
    ENGLISH.upper(),
    "<<A title>>\n\n* one\n* two\n* three\n\nP.S. *bold* and *strong* [name] [address]",
    '"I would say, My answer is yes."',
    "Section 1\nA. B. C.\n\nSection 2\nD?\n***\nE! Is there anything else I can help with?",
    '{"a": 1}',
    "A first answer.\n******\nA second answer.",
    "Ich weiß nicht, was soll es bedeuten, daß ich so traurig bin. " * 3,
    " ".join(["word"] * 400) + ".",
    "",
]


@pytest.fixture(scope="module")
def nltk_data(tmp_path_factory):
    """A sentence model without abbreviations, in NLTK's own files."""
    folder = tmp_path_factory.mktemp("nltk_data")
    model = folder / "tokenizers/punkt_tab/english"
    model.mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nltk.data, "path", [str(folder)])
        save_punkt_params(PunktParameters(), str(model))
    tokenize._get_punkt_tokenizer.cache_clear()
    yield str(folder)
    tokenize._get_punkt_tokenizer.cache_clear()  # NLTK keeps the model that it has read, for all that comes after


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refused(*_):
        raise AssertionError("the network was tried")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(nltk, "download", refused)
    monkeypatch.setattr(nltk.data, "path", [*nltk.data.path])


@pytest.fixture
def judged(nltk_data, tmp_path):
    """``rows`` of IFEval's own form with a response each: figures and items."""

    def judged(rows, responses, **changed):
        examples = pl.DataFrame([example(number, row) for number, row in enumerate(rows)])
        details = [parsed(row)[1] for row in rows]
        asked = job(tmp_path, examples, details, generations(responses))
        return evaluate(asked, settings(**{"nltk_data": nltk_data, **changed}))

    return judged


def example(number, row):
    return {"id": f"id{number}", "instruction": row["prompt"], "input": "", "output": "", "dataset": "s", "row": number}


def generations(responses, finish="stop"):
    rows = [
        {
            "id": f"id{number}",
            "response": response,
            "tokens": 1,
            "finish": finish if response is not None else "too_long",
        }
        for number, response in enumerate(responses)
    ]
    return pl.DataFrame(rows, schema_overrides={"response": pl.String})


def settings(nltk_data, **changed):
    return {"min_share_used": 0.9, "nltk_data": nltk_data, **changed}


def row(*instructions, prompt="Say something."):
    """``instructions``: name and its arguments, in turns."""
    names, kwargs = list(instructions[::2]), list(instructions[1::2])
    return {"key": 1, "prompt": prompt, "instruction_id_list": names, "kwargs": kwargs}


FEW_SENTENCES = {"relation": "less than", "num_sentences": 3}
FOUR_WORDS = {"relation": "at least", "num_words": 4}
TWO_CAPITALS = {"capital_relation": "at least", "capital_frequency": 2}
CASES = [
    # name, arguments, follows, follows only loosely, breaks
    ("punctuation:no_comma", {}, "no commas here", "Sure, here it is:\nno commas here", "one, two"),
    ("startend:quotation", {}, '"all of it"', 'Sure:\n"all of it"', '"some" of it'),
    ("startend:end_checker", {"end_phrase": "The end."}, "So it was. The end.", "The end.\n\nBye", "It went on"),
    ("detectable_format:json_format", {}, '```json\n{"a": [1]}\n```', 'Here:\n{"a": [1]}', "{a: 1}"),
    ("detectable_format:title", {}, "<<poem>>\nx", None, "<< >>"),
    ("change_case:english_lowercase", {}, ENGLISH, f"Sure!\n{ENGLISH}", ENGLISH.title()),
    ("change_case:english_capital", {}, ENGLISH.upper(), f"Ok\n{ENGLISH.upper()}", ENGLISH),
    (
        "length_constraints:number_sentences",
        {"relation": "less than", "num_sentences": 3},
        "A dog. A cat.",
        "Well!\nA dog. A cat.",
        "One is. Two are! Three?",
    ),
    (
        "length_constraints:number_words",
        {"relation": "at least", "num_words": 4},
        "one two three four",
        None,
        "one two",
    ),
    ("keywords:forbidden_words", {"forbidden_words": ["bad"]}, "all good", "bad\nall good", "bad"),
    ("keywords:frequency", {"relation": "at least", "keyword": "oh", "frequency": 2}, "oh oh", None, "oh"),
    ("keywords:letter_frequency", {"let_relation": "less than", "letter": "q", "let_frequency": 1}, "a", "q\na", "q"),
    (
        "change_case:capital_word_frequency",
        {"capital_relation": "at least", "capital_frequency": 2},
        "AN ANT",
        None,
        "AN ant",
    ),
    ("combination:two_responses", {}, "a\n******\nb", None, "a\n******\na"),
    ("combination:repeat_prompt", {"prompt_to_repeat": "Say it."}, "Say it. It.", "Sure:\nSay it. It.", "It."),
    ("language:response_language", {"language": "de"}, RESPONSES[7], None, ENGLISH),
    ("detectable_format:number_bullet_lists", {"num_bullets": 2}, "* a\n* b", "Two:\n* a\n* b\n- c", "* a"),
]


@pytest.mark.parametrize(("name", "arguments", "good", "loosely", "bad"), CASES, ids=[case[0] for case in CASES])
def test_responses_that_follow_and_break_an_instruction(judged, name, arguments, good, loosely, bad):
    responses = [good, loosely, bad] if loosely else [good, bad]
    figures, items = judged([row(name, arguments)] * len(responses), responses)
    strict, loose = ([1.0, 0.0, 0.0], [1.0, 1.0, 0.0]) if loosely else ([1.0, 0.0], [1.0, 0.0])
    assert items["value"].to_list() == strict and items["loose"].to_list() == loose
    assert figures["value"] == sum(strict) / len(strict)
    kind = {"share": figures["value"], "n": len(strict)}
    assert figures["by_type"] == {name.partition(":")[0]: kind} and figures["instruction_strict"] == kind


def test_a_prompt_counts_only_with_all_its_instructions(judged):
    rows = [
        row("punctuation:no_comma", {}, "detectable_format:title", {}, "punctuation:no_comma", {}),
        row("detectable_format:title", {}),
    ]
    figures, items = judged(rows, ["no title", "<<one, two>>"])
    assert items["value"].to_list() == [0.0, 1.0] and items["category"][0] == "punctuation, detectable_format"
    assert items["followed_strict"].to_list() == [[True, False, True], [True]]
    assert items["instructions"].to_list() == [one["instruction_id_list"] for one in rows]
    assert figures["value"] == 0.5 and figures["instruction_strict"] == {"share": 0.75, "n": 4}
    assert figures["by_type"] == {
        "detectable_format": {"share": 0.5, "n": 2},
        "punctuation": {"share": 1.0, "n": 2},
    }
    assert (figures["n_used"], figures["n_expected"], figures["direction"]) == (2, 2, "higher_is_better")
    assert json.loads(json.dumps(figures)) == figures and figures["checkers"].startswith("lm_eval 0.")


def test_prompts_without_a_response_are_counted_and_never_wrong(judged):
    rows = [row("punctuation:no_comma", {})] * 4
    figures, items = judged(rows, ["a", None, "b, c", ""], min_share_used=0.75)
    assert items["value"].to_list() == [1.0, None, 0.0, 0.0] and items["reason"].to_list()[1] == "too_long"
    used = items.drop_nulls("value")
    assert figures["value"] == (used["value"] * used["weight"]).sum() / used["weight"].sum() == 1 / 3
    assert (figures["n_used"], figures["n_expected"], figures["prompt_loose"]["n"]) == (3, 4, 3)
    with pytest.raises(InputError, match="ifeval: 3 of 4 prompts have a response; min_share_used asks for 80%"):
        judged(rows, ["a", None, "b, c", ""], min_share_used=0.8)
    with pytest.raises(InputError, match="0 of 4 prompts have a response"):
        judged(rows, [None] * 4, min_share_used=0.0)


def test_what_cannot_be_checked_is_named(judged, nltk_data, tmp_path):
    with pytest.raises(InputError, match="row 1 of s: instruction 'tone:rude' is none of the harness's 25"):
        judged([row("punctuation:no_comma", {}), row("tone:rude", {})], ["a", "b"])
    with pytest.raises(InputError, match=r"row 0 of s: instruction 'punctuation:no_comma' with \{'n': 1\}: .*'n'"):
        judged([row("punctuation:no_comma", {"n": 1})], ["a"])
    with pytest.raises(InputError, match=r"'length_constraints:number_words' with \{'relation': 'about'\}: .*about"):
        judged([row("length_constraints:number_words", {"relation": "about"})], ["a"])
    rows = [row("punctuation:no_comma", {})]
    asked = job(tmp_path, pl.DataFrame([example(1, rows[0])]), [parsed(rows[0])[1]], generations(["a"]))
    with pytest.raises(InputError, match="the responses are not those to its prompts"):
        evaluate(asked, settings(nltk_data))


def test_a_missing_sentence_model_is_said_in_one_line(judged, tmp_path, monkeypatch):
    one = [row("punctuation:no_comma", {})], ["a"]
    with pytest.raises(
        InputError, match=r"no tokenizers/punkt_tab in .*; let `nltk_data` name .*llama-index-core"
    ) as said:
        judged(*one, nltk_data=str(tmp_path))
    assert str(tmp_path) in str(said.value) and "\n" not in str(said.value)
    (tmp_path / "tokenizers/punkt_tab/french").mkdir(parents=True)
    with pytest.raises(InputError, match="no tokenizers/punkt_tab/english in"):
        judged(*one, nltk_data=str(tmp_path))
    monkeypatch.setattr(nltk.data, "path", [])
    with pytest.raises(InputError, match="in the folders where NLTK looks"):
        judged(*one, nltk_data=None)


def test_the_folder_may_be_where_nltk_looks(judged, nltk_data, monkeypatch):
    monkeypatch.setattr(nltk.data, "path", [nltk_data])
    assert judged([row("punctuation:no_comma", {})], ["a"], nltk_data=None)[0]["value"] == 1


def test_the_checkers_bring_no_models(nltk_data):
    """Seconds of import, no more: neither torch nor transformers."""
    code = (
        "import sys; from instructmining.evaluations.ifeval import _checkers; _checkers(sys.argv[1]);"
        "print(sorted({'torch', 'transformers', 'vllm', 'lm_eval.evaluator'} & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code, nltk_data], capture_output=True, text=True, env=environment)
    assert done.stdout == "[]\n", done.stderr


@pytest.fixture(scope="module")
def prompts():
    if not PROMPTS.is_file():
        pytest.skip("IFEval's prompts are not here")
    return [json.loads(line) for line in PROMPTS.read_text(encoding="utf-8").splitlines()]


def test_the_harness_itself_gives_the_same_figures(judged, prompts):
    assert len(prompts) == 541
    responses = [RESPONSES[number % len(RESPONSES)] for number in range(541)]
    for number in range(0, 541, 3):
        responses[number] += f" {prompts[number]['prompt']}"
    figures, items = judged(prompts, responses)
    assert judged(prompts, responses)[1].equals(items)
    from lm_eval.tasks.ifeval import utils

    found = []
    for number, (one, response) in enumerate(zip(prompts, responses, strict=True)):
        random.seed(f"id{number}")  # two prompts ask for letters that are none, and get random ones
        for name, kwargs in zip(one["instruction_id_list"], one["kwargs"], strict=True):
            utils.instructions_registry.INSTRUCTION_DICT[name](name).build_description(**kwargs)
        found.append(utils.process_results(one, [response]))
    column = {name: [one[name] for one in found] for name in found[0]}
    assert figures["value"] == sum(column["prompt_level_strict_acc"]) / 541 == items["value"].mean() > 0.1
    assert figures["prompt_loose"] == {"share": sum(column["prompt_level_loose_acc"]) / 541, "n": 541}
    strict, loose = figures["instruction_strict"], figures["instruction_loose"]
    assert strict == {"share": utils.agg_inst_level_acc(column["inst_level_strict_acc"]), "n": 834}
    assert loose == {"share": utils.agg_inst_level_acc(column["inst_level_loose_acc"]), "n": 834}
    assert 0.2 < strict["share"] < loose["share"]
    assert sum(one["n"] for one in figures["by_type"].values()) == 834 and len(figures["by_type"]) == 9
    assert sum(one["share"] * one["n"] for one in figures["by_type"].values()) == pytest.approx(strict["share"] * 834)


def test_nobody_elses_random_numbers_are_touched(judged, prompts):
    random.seed(1)
    expected = random.Random(1).random()
    judged([one for one in prompts if one["key"] in (1122, 1129)], ["a", "b"])
    assert random.random() == expected
