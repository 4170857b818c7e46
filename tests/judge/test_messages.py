"""A judge's prompts, and its scores."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructmining.jobs.errors import InputError
from instructmining.judge.messages import load_prompt, messages, read_score
from instructmining.judge.prompts import JUDGE_PROMPTS

EXAMPLE = {"id": "1", "instruction": "Add {output}", "input": "1 and 2", "output": "{input} is 3"}
SCALE = (0, 5)


def test_alpagasus_word_by_word():
    system, user = messages(load_prompt("alpagasus", None), EXAMPLE)
    assert system == {
        "role": "system",
        "content": "We would like to request your feedback on the performance of AI assistant in response to the "
        "instruction and the given input displayed following.",
    }
    assert user == {
        "role": "user",
        "content": "###Instruction:\nAdd {output}\n\n### Input:\n1 and 2\n\n### Response:\n{input} is 3\n\n"
        "Please rate according to the accuracy of the response to the instruction and the input. Each "
        "assistant receives a score on a scale of 0 to 5, where a higher score indicates higher level of the accuracy. "
        "Please first output a single line containing value indicating the scores. In the subsequent line, please "
        "provide a comprehensive explanation of your evaluation, avoiding any potential bias. \n\n",
    }


def test_the_other_scale_is_the_only_difference():
    ours, theirs = (JUDGE_PROMPTS[name] for name in ("alpagasus", "alpagasus_1_to_5"))
    assert theirs.messages[0] == ours.messages[0] and theirs.scale == (1, 5)
    assert theirs.messages[1][1] == ours.messages[1][1].replace("0 to 5", "1 to 5") != ours.messages[1][1]


def test_a_prompt_of_one_s_own(tmp_path):
    file = tmp_path / "mine.txt"
    file.write_text("Be strict.\n---\nHow good, 1 to 10?\n{instruction}\n=> {output}\n", encoding="utf-8")
    prompt = load_prompt(str(file), [1, 10])
    assert prompt.scale == (1, 10)
    assert messages(prompt, EXAMPLE) == [
        {"role": "system", "content": "Be strict."},
        {"role": "user", "content": "How good, 1 to 10?\nAdd {output}\n1 and 2\n=> {input} is 3"},
    ]
    file.write_text("Rate {output}", encoding="utf-8")
    assert messages(load_prompt(str(file), [1, 10]), EXAMPLE) == [{"role": "user", "content": "Rate {input} is 3"}]
    with pytest.raises(InputError, match="needs `scale`"):
        load_prompt(str(file), None)
    file.write_text("Rate it, {input}", encoding="utf-8")
    with pytest.raises(InputError, match=r"mine.txt: expected \{instruction\} or \{output\}"):
        load_prompt(str(file), [1, 10])
    with pytest.raises(InputError, match=r"prompt no.txt: expected alpagasus, alpagasus_1_to_5, or a UTF-8"):
        load_prompt("no.txt", [1, 10])


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        *(("4", 4), ("4.5\nGood.", 4.5), ("\n\n  3  \nx", 3), ("5/5", 5), ("Score: 2", 2), ("**4.0**\nWell", 4)),
        *(("4 out of 5.", 4), ("Accuracy score: 0 / 5", 0), ("# 1\r\nno", 1), ("<think>\n2? 3!\n</think>\n4\nas", 4)),
        *(("3 points", 3), ("-0", 0)),
    ],
)
def test_scores(answer, value):
    assert read_score(answer, SCALE) == (value, None)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        *((text, "empty answer") for text in ("", " \n\t\n", "<think>4</think>")),
        *(
            (text, "no score on the first line")
            for text in (
                "Good\n4",
                "3 of the 5 facts are wrong",
                "4 5",
                "1. It is",
                "4/10",
                "four",
                "<think>\n4",
                "4,5",
            )
        ),
        *((text, "score outside 0 to 5") for text in ("6", "-1", "10/5", "5.01")),
    ],
)
def test_nothing_is_guessed(answer, reason):
    assert read_score(answer, SCALE) == (None, reason)


@given(st.text(max_size=60), st.sampled_from([(0, 5), (1, 10)]))
def test_any_text_is_a_score_on_the_scale_or_a_reason(answer, scale):
    value, reason = read_score(answer, scale)
    assert (value is None) != (reason is None)
    assert value is None or scale[0] <= value <= scale[1]
