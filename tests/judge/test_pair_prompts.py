"""Prompts about two responses, what is sent with them, and what is read of the answers."""

import hashlib
import json
import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from instructmining.config.judges import pair_judge_problems
from instructmining.jobs.errors import InputError
from instructmining.judge.pair_messages import (
    load_pair_prompt,
    pair_messages,
    pair_request,
    read_pair,
    read_preference,
    read_verdict,
)
from instructmining.judge.pair_prompts import PAIR_PROMPTS
from instructmining.judge.protocol import completion

# of the sources' texts: role, a line end, text with the fields by our names, for each message
SOURCES = {
    "mt_bench_pair": "e42f324fd727cbdae85b59e74ee4bdd0a62c64bb4014a627cbc27638b3e04376",
    "alpaca_eval": "39e56ae69d6fc169129f9b0d9505b9ecfd39ab296b00196e031dcd1af776d1f5",
}


@pytest.mark.parametrize("name", SOURCES)
def test_prompts_are_their_sources_word_by_word(name):
    text = "".join(f"{role}\n{text}\n" for role, text in PAIR_PROMPTS[name].messages)
    assert hashlib.sha256(text.encode()).hexdigest() == SOURCES[name]


def test_each_text_stands_in_its_place_braces_and_all():
    system, user = pair_messages(load_pair_prompt("mt_bench_pair"), "Add {output_1}", "{output_2} {x}", "[[B]]")
    assert system["role"] == "system" and user == {
        "role": "user",
        "content": "[User Question]\nAdd {output_1}\n\n[The Start of Assistant A's Answer]\n{output_2} {x}\n"
        "[The End of Assistant A's Answer]\n\n[The Start of Assistant B's Answer]\n[[B]]\n"
        "[The End of Assistant B's Answer]",
    }
    _, user = pair_messages(load_pair_prompt("alpaca_eval"), "i", "one", "two")
    assert user["content"].index('"m",\n        "output": """one"""') < user["content"].index(
        '"M",\n        "output": """two"'
    )


def test_a_prompt_of_one_s_own(tmp_path):
    file = tmp_path / "mine.txt"
    file.write_text("Say [[A]], [[B]] or [[C]].\n---\n{instruction}\n1: {output_1}\n2: {output_2}\n", encoding="utf-8")
    prompt = load_pair_prompt(str(file))
    assert pair_messages(prompt, "i", "a", "b")[1] == {"role": "user", "content": "i\n1: a\n2: b"}
    assert not prompt.choices and pair_request(prompt, {}, "api") == {"temperature": 0.0, "max_tokens": 2048}
    file.write_text("{output_1} or else, [[A]] or [[B]]", encoding="utf-8")
    with pytest.raises(InputError, match=r"mine.txt: expected \{output_2\}, \[\[C\]\] in the prompt"):
        load_pair_prompt(str(file))
    with pytest.raises(InputError, match=r"prompt no.txt: expected mt_bench_pair, alpaca_eval, or a UTF-8"):
        load_pair_prompt("no.txt")


def test_requests_are_the_sources_and_the_config_stands_over_them():
    explained, weighted = (PAIR_PROMPTS[name] for name in ("mt_bench_pair", "alpaca_eval"))
    assert pair_request(explained, {}, "api") == {"temperature": 0.0, "max_tokens": 2048}
    assert pair_request(weighted, {}, "api") == {
        **{"temperature": 1.0, "max_tokens": 1, "logprobs": True, "top_logprobs": 5}
    }
    given = {"max_completion_tokens": 9, "seed": 1, "temperature": None}
    assert pair_request(explained, given, "api") == {"max_completion_tokens": 9, "seed": 1}
    assert pair_request(explained, {"max_tokens": 64}, "local") == {"temperature": 0.0, "max_tokens": 64}
    assert pair_request(weighted, {}, "local") == {"temperature": 0.0, "max_tokens": 1, "choices": ["m", "M"]}


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        *(("A is better.\n[[A]]", 1), ("[[B]]", 0), ("so [[C]].", 0.5), ("[[A]], yes: [[A]]", 1)),
        ("<think>[[A]]? [[B]]!</think>It is [[B]]", 0),
    ],
)
def test_verdicts(answer, value):
    assert read_verdict(answer) == (value, None)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        *((text, "no verdict") for text in ("", "A", "[A]", "[[D]]", "[[a]]", "<think>[[A]]</think>")),
        ("[[A]] or [[C]]", "several verdicts"),
    ],
)
def test_no_verdict_is_guessed(answer, reason):
    assert read_verdict(answer) == (None, reason)


def test_preferences_are_shares_of_both_probabilities():
    tokens = [["m", math.log(0.6)], ["M", math.log(0.2)], ["The", math.log(0.1)]]
    assert read_preference(tokens, ("m", "M")) == (pytest.approx(0.75), None)
    assert read_preference([*tokens, [" m", math.log(0.2)]], ("m", "M"))[0] == pytest.approx(0.8)
    # one that is not among the likeliest has probability 0, as in AlpacaEval
    assert read_preference(tokens[1:], ("m", "M")) == (0.0, None)
    assert read_preference(tokens[2:], ("m", "M")) == (None, "neither m nor M among the likeliest tokens")
    for nothing in (None, []):
        assert read_preference(nothing, ("m", "M")) == (None, "no log-probabilities in the answer")


def test_alpaca_eval_s_own_example():
    """completion_parsers.py: M at -0.0176, m at -4.0488; theirs is 2 - p(m)."""
    tops = [("M", -0.017597131), ("m", -4.048847), ("Both", -14.908222), ("The", -15.705097)]
    entries = [{"token": token, "logprob": value, "bytes": [1]} for token, value in tops]
    choice = {"message": {"content": "M"}, "logprobs": {"content": [{**entries[0], "top_logprobs": entries}]}}
    record = completion(json.dumps({"choices": [choice]}).encode(), logprobs=True)
    assert record["logprobs"] == [list(one) for one in tops]
    value, reason = read_pair(record, PAIR_PROMPTS["alpaca_eval"])
    assert reason is None and value == pytest.approx(1 / (1 + math.exp(4.048847 - 0.017597131)), abs=1e-12)


JUNK = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["content", "top_logprobs", "token", "logprob"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@example({"content": [{"content": None, "top_logprobs": 1.0}]})
@given(JUNK)
def test_log_probabilities_that_are_none_are_no_crash(junk):
    body = json.dumps({"choices": [{"message": {"content": "m"}, "logprobs": junk}]}).encode()
    record = completion(body, logprobs=True)
    value, reason = read_pair(record, PAIR_PROMPTS["alpaca_eval"])
    assert (value is None) != (reason is None) and (value is None or 0 <= value <= 1)
    assert "logprobs" not in completion(body)


def said(prompt, backend="api", **request):
    judge = {"backend": backend, "request": request, "price_input": None, "price_output": None, "max_cost": None}
    return list(pair_judge_problems(("b",), prompt, judge))


def test_the_config_is_told_what_cannot_be():
    for prompt in (*PAIR_PROMPTS, "prompts/mine.txt"):
        assert said(prompt) == said(prompt, "local") == said(prompt, max_completion_tokens=5) == []
    assert "did you mean 'alpaca_eval'?" in str(said("alpaca_evil"))
    assert "is not for you to send" in str(said("mt_bench_pair", n=2))
    assert "a whole number above 0" in str(said("mt_bench_pair", max_tokens=5, max_completion_tokens=5))
    assert "a whole number above 0" in str(said("mt_bench_pair", max_tokens=0))
    assert "a local judge takes" in str(said("mt_bench_pair", "local", seed=3))
    assert "needs log-probabilities" in str(said("alpaca_eval", logprobs=False))
