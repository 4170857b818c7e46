import pytest

from instructmining.models.attention import budget
from instructmining.models.batching import Budget
from instructmining.models.choices import log_odds
from instructmining.models.likelihood import read_responses
from instructmining.models.loading import load_causal_lm, load_tokenizer
from instructmining.models.prompts import encode_texts
from tiny import SENTENCES, tiny_gpt_neox_lm, tiny_llama

# the last pair has nothing in common, and one answer of a single token
ANSWERS = [
    ("Output (a)", "Output (b)"),
    ("Yes", "No"),
    ("in short sentences", "in three, to a child"),
    ("x", "Explain"),
]


@pytest.fixture(scope="module", params=[tiny_llama, tiny_gpt_neox_lm])
def folder(request, tmp_path_factory):
    return str(request.param(tmp_path_factory.mktemp("model")))


def pairs(folder):
    tokenizer = load_tokenizer(folder)
    asked = [(sentence * (place + 1), *ANSWERS[place % 4]) for place, sentence in enumerate(SENTENCES * 2)]
    texts, answers = [prompt for prompt, *_ in asked for _ in (0, 1)], [one for _, *both in asked for one in both]
    encoded = encode_texts(texts, answers, tokenizer, end=False)
    return list(zip(encoded[::2], encoded[1::2], strict=True))


@pytest.mark.parametrize("tokens", [1, 200, 100_000])
def test_odds_are_the_difference_of_both_read_whole(folder, tokens):
    asked = pairs(folder)
    model = load_causal_lm(folder)
    whole = read_responses(model, [one for pair in asked for one in pair], Budget(1))
    expected = [two.nll - one.nll for one, two in zip(whole[::2], whole[1::2], strict=True)]
    assert model.config._attn_implementation != "packed"
    assert log_odds(model, asked, Budget(1)) == pytest.approx(expected, abs=1e-9)
    advanced = []
    assert log_odds(model, asked, budget(model, tokens), advanced.append) == pytest.approx(expected, abs=1e-4)
    assert model.config._attn_implementation == "packed" and sum(advanced) == len(asked)


def test_the_prompt_is_computed_once(folder, monkeypatch):
    from instructmining.models import choices

    asked, rows = pairs(folder), []
    model = load_causal_lm(folder)
    everything = budget(model, 100_000)

    def seen(model, inputs, **more):
        rows.append(inputs["input_ids"].shape[1])
        return original(model, inputs, **more)

    original = choices.hidden_states
    monkeypatch.setattr(choices, "hidden_states", seen)
    log_odds(model, asked, everything)
    assert sum(rows) < 0.6 * sum(len(one.ids) for pair in asked for one in pair)
