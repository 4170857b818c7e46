import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instructmining.jobs.errors import InputError
from instructmining.models.prompts import TEMPLATES, encode, render
from tiny import tiny_tokenizer

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return tiny_tokenizer(tmp_path_factory.mktemp("tokenizer"))


def frame(instruction, output, input_=""):
    return pl.DataFrame({"instruction": [instruction], "input": [input_], "output": [output]})


def test_templates_are_those_of_their_sources(tokenizer):
    assert render("alpaca", "Do it", "", tokenizer) == (
        "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
        "### Instruction:\nDo it\n\n### Response:"
    )
    assert "### Input:\nthis\n\n### Response:" in render("alpaca", "Do it", "this", tokenizer)
    assert render("vicuna", "Do it", "this", tokenizer).endswith("USER: Do it\nthis ASSISTANT: ")
    assert render("chat", "Do it", "", tokenizer) == "<|prompter|>Do it<|endoftext|><|assistant|>"


def test_braces_in_an_instruction_stay(tokenizer):
    assert "{input} {x}" in render("alpaca", "{input} {x}", "secret {instruction}", tokenizer)


@settings(max_examples=60, deadline=None)
@given(instruction=texts, output=texts, template=st.sampled_from([*TEMPLATES, "chat"]))
def test_supervised_tokens_are_the_response_and_the_end(tokenizer, instruction, output, template):
    [example] = encode(frame(instruction, output), tokenizer, template, 10_000)
    prompt = render(template, instruction, "", tokenizer)
    assert not example.truncated
    assert example.ids[-1] == tokenizer.eos_token_id
    supervised = tokenizer.decode(example.ids[example.start : -1], clean_up_tokenization_spaces=False)
    before = tokenizer.decode(example.ids[: example.start], clean_up_tokenization_spaces=False)
    # a token may straddle the border: then it is supervised, and what is before it is part of the prompt
    assert supervised.endswith(output) or "\ufffd" in supervised
    assert prompt.startswith(before) or "\ufffd" in before


@settings(max_examples=60, deadline=None)
@given(output=texts, max_length=st.integers(1, 60), max_prompt=st.integers(1, 30))
def test_cuts_are_bounded_and_told(tokenizer, output, max_length, max_prompt):
    [whole] = encode(frame("Explain why the sky is blue", output), tokenizer, "alpaca_short", 10_000)
    [cut] = encode(frame("Explain why the sky is blue", output), tokenizer, "alpaca_short", max_length, max_prompt)
    assert len(cut.ids) <= max_length
    assert cut.start <= max_prompt + 1
    assert cut.truncated == (len(cut.ids) < len(whole.ids))
    prompt = whole.ids[: whole.start]
    assert cut.ids[: cut.start] == prompt[-max_prompt:][:max_length]


def test_a_prompt_that_fills_the_length_leaves_nothing_to_supervise(tokenizer):
    [example] = encode(frame("word " * 50, "answer"), tokenizer, "alpaca", 8)
    assert example.start == len(example.ids) == 8
    assert example.truncated


def test_without_end(tokenizer):
    [example] = encode(frame("Say hi", "hi there"), tokenizer, "alpaca", 1000, end=False)
    assert tokenizer.decode(example.ids[example.start :]) == "hi there"


def test_a_template_that_writes_the_date_writes_always_the_same(tmp_path):
    tokenizer = tiny_tokenizer(tmp_path)
    # as Llama 3.1 and 3.2 do
    tokenizer.chat_template = (
        "{% if not date_string is defined %}{% set date_string = strftime_now('%d %b %Y') %}{% endif %}"
        "{{ date_string }} {{ messages[0].content }}"
    )
    assert render("chat", "Hi", "", tokenizer) == "26 Jul 2024 Hi"
    tokenizer.chat_template = "{{ strftime_now('%d %b %Y') }}{{ messages[0].content }}"
    with pytest.raises(InputError, match="its chat template writes the date: results would change by the day"):
        render("chat", "Hi", "", tokenizer)


def test_a_tokenizer_without_a_chat_template_is_named(tmp_path):
    tokenizer = tiny_tokenizer(tmp_path)
    tokenizer.chat_template = None
    with pytest.raises(InputError, match="its tokenizer has no chat template: choose another `template`"):
        render("chat", "Hi", "", tokenizer)
