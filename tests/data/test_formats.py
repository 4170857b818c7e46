import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instructmining.data.formats import FORMATS, Reject, parse

OPTIONS = {"side": "chosen", "columns": {"instruction": "q", "input": "context", "output": "a"}}


def human(text):
    return {"from": "human", "value": text}


def gpt(text):
    return {"from": "gpt", "value": text}


def user(text):
    return {"role": "user", "content": text}


def assistant(text):
    return {"role": "assistant", "content": text}


def reply(text, **more):
    return {"role": "assistant", "text": text, "deleted": False, "rank": None, "replies": []} | more


def tree(*replies, **more):
    return {"prompt": {"role": "prompter", "text": "q", "deleted": False, "replies": list(replies)} | more}


SYSTEM = {"from": "system", "value": "be kind"}
PARTS = [{"type": "text", "text": "q"}, {"type": "text", "value": "!"}]
THREE = [human("q"), gpt("a"), human("r")]
JOINED = "Human: q\n\nAssistant: a\n\nHuman: r"

GOOD = [
    ("alpaca", {"instruction": "q", "input": "i", "output": "a"}, [("q", "i", "a")], {}),
    ("alpaca", {"instruction": "q", "input": None, "output": "a", "id": 3}, [("q", "", "a")], {}),
    ("alpaca", {"instruction": "q", "output": ""}, [("q", "", "")], {}),
    ("dolly", {"instruction": "q", "context": "i", "response": "a"}, [("q", "i", "a")], {}),
    ("dolly", {"instruction": "q", "input": "i", "output": "a"}, [("q", "i", "a")], {}),
    ("columns", {"q": "q", "context": "i", "a": "a"}, [("q", "i", "a")], {}),
    ("columns", {"q": "q", "a": "a"}, [("q", "", "a")], {}),
    ("sharegpt", {"conversations": [human("q"), gpt("a")]}, [("q", "", "a")], {}),
    (
        "sharegpt",
        {"conversations": [SYSTEM, human("q"), gpt("a"), {"from": "tool"}]},
        [("q", "", "a")],
        {"system_dropped": 1, "later_turns_dropped": 1},
    ),
    ("messages", {"messages": [user("q"), assistant("a")]}, [("q", "", "a")], {}),
    ("messages", {"messages": [user(PARTS), assistant([PARTS[0]])]}, [("q!", "", "q")], {}),
    ("oasst", tree(reply("a")), [("q", "", "a")], {}),
    (
        "oasst",
        tree(reply("x"), reply("b", rank=1), reply("a", rank=0, replies=[{}]), reply("c", rank=2)),
        [("q", "", "a")],
        {"other_replies_dropped": 1, "later_turns_dropped": 1},
    ),
    ("oasst", tree(reply("a"), reply("b")), [("q", "", "a")], {"other_replies_dropped": 1}),
    (
        "oasst",
        tree(reply("x", rank=0, deleted=True), reply("y", rank=1, role="prompter"), reply("a", rank=2)),
        [("q", "", "a")],
        {"other_replies_dropped": 1},
    ),
    (
        "instances",
        {"instruction": "q", "instances": [{"input": "i", "output": "a"}, {"output": "b"}]},
        [("q", "i", "a"), ("q", "", "b")],
        {},
    ),
    ("preference", {"prompt": "q", "chosen": "a", "rejected": "b"}, [("q", "", "a")], {}),
    ("preference", {"instruction": "q", "input": "i", "chosen": "a", "rejected": "b"}, [("q", "i", "a")], {}),
    ("preference", {"conversations": [human("q")], "chosen": gpt("a"), "rejected": gpt("b")}, [("q", "", "a")], {}),
    ("preference", {"messages": [user("q")], "chosen": assistant("a")}, [("q", "", "a")], {}),
    ("preference", {"prompt": [user("q")], "chosen": [assistant("a")]}, [("q", "", "a")], {}),
    ("preference", {"prompt": "q", "chosen": [user("q"), assistant("a")]}, [("q", "", "a")], {}),
    (
        "preference",
        {"conversations": [SYSTEM, *THREE], "chosen": gpt("b"), "rejected": gpt("c")},
        [(JOINED, "", "b")],
        {"system_dropped": 1, "history_joined": 1},
    ),
    ("preference", {"prompt": "q", "chosen": [*THREE, gpt("b")]}, [(JOINED, "", "b")], {"history_joined": 1}),
]

BAD = [
    *((name, row, "wrong_type") for name in FORMATS for row in (None, "text", [1], 3.5, True)),
    ("alpaca", {"input": "i", "output": "a"}, "missing_field:instruction"),
    ("alpaca", {"instruction": "q", "output": None}, "missing_field:output"),
    ("alpaca", {"instruction": "q", "output": ["a"]}, "wrong_type"),
    ("alpaca", {"instruction": "q", "input": 3, "output": "a"}, "wrong_type"),
    ("dolly", {"instruction": "q"}, "missing_field:response"),
    ("columns", {"q": "q"}, "missing_field:a"),
    ("sharegpt", {}, "missing_field:conversations"),
    ("sharegpt", {"conversations": "q"}, "wrong_type"),
    ("sharegpt", {"conversations": [3]}, "wrong_type"),
    ("sharegpt", {"conversations": []}, "no_user_turn"),
    ("sharegpt", {"conversations": [SYSTEM]}, "no_user_turn"),
    ("sharegpt", {"conversations": [gpt("a"), human("q"), gpt("b")]}, "no_user_turn"),
    ("sharegpt", {"conversations": [human("q")]}, "no_assistant_turn"),
    ("sharegpt", {"conversations": [human("q"), human("q"), gpt("a")]}, "no_assistant_turn"),
    ("sharegpt", {"conversations": [{"from": "tool", "value": "q"}, gpt("a")]}, "wrong_role"),
    ("sharegpt", {"conversations": [{"from": ["human"], "value": "q"}, gpt("a")]}, "wrong_type"),
    ("sharegpt", {"conversations": [{"value": "q"}, gpt("a")]}, "missing_field:from"),
    ("messages", {"messages": [user("q"), assistant(None)]}, "missing_field:value"),
    ("messages", {"messages": [user([{"type": "image"}]), assistant("a")]}, "wrong_type"),
    ("messages", {"messages": [user([{"type": "text"}]), assistant("a")]}, "missing_field:text"),
    ("oasst", {"text": "q"}, "missing_field:prompt"),
    ("oasst", {"prompt": "q"}, "wrong_type"),
    ("oasst", tree(reply("a"), deleted=True), "deleted"),
    ("oasst", tree(reply("a"), role="assistant"), "wrong_role"),
    ("oasst", tree(reply("a", deleted=True), reply("b", role="prompter")), "no_assistant_turn"),
    ("oasst", tree(reply("a", rank="0")), "wrong_type"),
    ("oasst", tree("a"), "wrong_type"),
    ("instances", {"instruction": "q", "instances": []}, "missing_field:instances"),
    ("instances", {"instruction": "q", "instances": ["a"]}, "wrong_type"),
    ("preference", {"prompt": "q", "rejected": "b"}, "missing_field:chosen"),
    ("preference", {"chosen": "a"}, "missing_field:instruction"),
    ("preference", {"conversations": [human("q"), gpt("a")], "chosen": "b"}, "no_user_turn"),
    ("preference", {"prompt": "q", "chosen": [user("q")]}, "no_assistant_turn"),
    ("preference", {"prompt": "q", "chosen": human("a")}, "no_assistant_turn"),
    ("preference", {"prompt": "q", "chosen": 4}, "wrong_type"),
]


@pytest.mark.parametrize(("name", "row", "triples", "notes"), GOOD)
def test_good_rows(name, row, triples, notes):
    found, counted = parse(row, {"format": name, **OPTIONS})
    assert found == triples
    assert +counted == notes


@pytest.mark.parametrize(("name", "row", "reason"), BAD)
def test_bad_rows(name, row, reason):
    with pytest.raises(Reject) as caught:
        parse(row, {"format": name, **OPTIONS})
    assert str(caught.value) == reason


def test_every_format_has_a_row_here():
    assert {name for name, *_ in GOOD} == set(FORMATS)


def test_side():
    row = {"prompt": "q", "chosen": "a", "rejected": "b"}
    assert parse(row, {"format": "preference", "side": "rejected"})[0] == [("q", "", "b")]


FIELDS = ["instruction", "input", "output", "context", "response", "conversations", "messages", "prompt", "replies"]
FIELDS += ["instances", "chosen", "from", "value", "role", "content", "text", "type", "deleted", "rank", "q", "a"]
WORDS = ["human", "gpt", "user", "assistant", "system", "prompter", "text", "", "\ud800", "\0"]
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=12,
)
turns = st.lists(st.fixed_dictionaries({"from": st.sampled_from(WORDS), "value": st.sampled_from(WORDS) | junk}))
rows = (
    junk | st.fixed_dictionaries({"conversations": turns, "chosen": turns | junk}) | junk.map(lambda x: {"prompt": x})
)


@settings(max_examples=300, deadline=None)
@given(row=rows, name=st.sampled_from(sorted(FORMATS)))
def test_junk_gives_texts_or_a_reason(row, name):
    try:
        triples, notes = parse(row, {"format": name, **OPTIONS})
    except Reject as reject:
        assert str(reject).partition(":")[0] in {
            "wrong_type", "missing_field", "wrong_role", "no_user_turn", "no_assistant_turn", "deleted",
        }  # fmt: skip
    else:
        assert triples
        assert all(isinstance(text, str) for triple in triples for text in triple)
        assert all(count >= 0 for count in notes.values())
