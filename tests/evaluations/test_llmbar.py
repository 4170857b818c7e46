import hashlib
import json
import tempfile
from pathlib import Path

import polars as pl
import pytest
import torch

from evaluating import job
from instructmining.data.examples import EXAMPLE_SCHEMA, read_details, read_examples
from instructmining.data.reading import read_dataset
from instructmining.evaluations import llmbar
from instructmining.evaluations.llmbar import ANSWERS, PROMPT, evaluate, parsed
from instructmining.jobs.errors import InputError
from instructmining.jobs.files import write_parquet
from instructmining.models.loading import load_causal_lm, load_tokenizer
from instructmining.models.prompts import render
from tiny import SENTENCES, tiny_llama

SHARED = Path(__file__).parents[2] / "../shared/data"
SIZES = {
    "natural": 100,
    "adversarial_neighbor": 134,
    "adversarial_gptinst": 92,
    "adversarial_gptout": 47,
    "adversarial_manual": 46,
}
SETTINGS = {
    "template": "alpaca",
    "max_prompt_length": 40,
    "precision": "float32",
    "device": "cpu",
    "answer": "log_probability",
    "max_length": 2048,
    "batch_tokens": 3000,
    "min_share_used": 0.9,
}
DETAILS = [
    {"outputs": [SENTENCES[place], SENTENCES[place - 1] * (place + 1)], "label": 1 + place % 2} for place in range(5)
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return str(tiny_llama(tmp_path_factory.mktemp("llama")))


@pytest.fixture(scope="module")
def examples():
    rows = [(str(i), s, "with {braces}" * (i % 2), "", "bar", i) for i, s in enumerate(SENTENCES[:5])]
    return pl.DataFrame(rows, EXAMPLE_SCHEMA, orient="row")


def test_the_prompt_is_the_authors_word_for_word():
    """Compared once with comparison/Vanilla.txt of princeton-nlp/LLMBar, commit caa7bee."""
    assert hashlib.sha256(PROMPT.encode()).hexdigest().startswith("f558e1bdace37d11")


def run(folder, examples, work=None, **settings):
    with tempfile.TemporaryDirectory() as written:
        asked = job(Path(written), examples, DETAILS, model=folder, work=str(work or written))
        return evaluate(asked, {**SETTINGS, **settings})


def asked(examples, item, swapped):
    first, second = DETAILS[item]["outputs"][:: -1 if swapped else 1]
    _, instruction, input, *_ = examples.row(item)
    question = PROMPT.replace("{first}", first).replace("{second}", second)
    return question.replace("{instruction}", f"{instruction}\n{input}" if input else instruction)


def test_margins_are_those_of_a_plain_float64_pass(folder, examples):
    """One text at a time: log p of every token of the answer given what is before it."""
    figures, items = run(folder, examples)
    model, tokenizer = load_causal_lm(folder).double(), load_tokenizer(folder)

    def log_p(prompt, answer):
        start, ids = len(tokenizer(prompt).input_ids), tokenizer(prompt + answer).input_ids
        assert tokenizer.decode(ids[start:]) == answer
        with torch.no_grad():
            logs = torch.log_softmax(model(torch.tensor([ids])).logits[0], -1)
        return sum(float(logs[place - 1, ids[place]]) for place in range(start, len(ids)))

    right = []
    for item, row in enumerate(items.iter_rows(named=True)):
        for swapped in (False, True):
            prompt = render("alpaca", asked(examples, item, swapped), "", tokenizer)
            margin = log_p(prompt, ANSWERS[0]) - log_p(prompt, ANSWERS[1])
            assert row[f"margin_{1 + swapped}"] == pytest.approx(margin, abs=1e-3)
            chosen = 1 if (margin > 0) != swapped else 2
            assert row[f"chosen_{1 + swapped}"] == chosen
            right.append(chosen == DETAILS[item]["label"])
    assert figures["value"] == pytest.approx(sum(right) / 10)
    assert items["value"].to_list() == [sum(right[i : i + 2]) / 2 for i in range(0, 10, 2)]
    assert (figures["accuracy_given"], figures["accuracy_swapped"]) == (sum(right[::2]) / 5, sum(right[1::2]) / 5)
    assert figures["value"] == pytest.approx((items["value"] * items["weight"]).sum() / items["weight"].sum())
    assert (figures["n_used"], figures["n_expected"], figures["unparsed"], figures["ties"]) == (5, 5, 0, 0)
    assert (figures["chance"], figures["direction"]) == (0.5, "higher_is_better")


def test_batches_change_nothing(folder, examples):
    one, two = run(folder, examples, batch_tokens=1), run(folder, examples, batch_tokens=100_000)
    assert one[1].drop("margin_1", "margin_2").equals(two[1].drop("margin_1", "margin_2"))
    assert one[1]["margin_1"].to_list() == pytest.approx(two[1]["margin_1"].to_list(), abs=1e-4)


@pytest.mark.parametrize(
    ("odds", "value", "agreement", "first_place", "ties"),
    [(1.0, 0.5, 0.0, 1.0, 0), (-1.0, 0.5, 0.0, 0.0, 0), (0.0, 0.0, 0.0, None, 10)],
    ids=["always (a)", "always (b)", "ties"],
)
def test_a_judge_that_does_not_look(folder, examples, monkeypatch, odds, value, agreement, first_place, ties):
    monkeypatch.setattr(llmbar, "log_odds", lambda model, pairs, *_: [odds] * len(pairs))
    figures, items = run(folder, examples)
    names = ("value", "agreement", "first_place", "ties", "unparsed")
    assert [figures[name] for name in names] == [value, agreement, first_place, ties, 0]
    assert items["value"].to_list() == [value] * 5 and figures["n_used"] == 5


def test_a_judge_that_knows(folder, examples, monkeypatch):
    """It prefers the right one, wherever it stands: the first order's places are the source's."""
    margins = [1.0 if (item["label"] == 1) != swapped else -1.0 for item in DETAILS for swapped in (False, True)]
    monkeypatch.setattr(llmbar, "log_odds", lambda *_: margins)
    figures, items = run(folder, examples)
    assert (figures["value"], figures["agreement"], figures["first_place"]) == (1.0, 1.0, 0.5)
    assert items["chosen_1"].to_list() == items["chosen_2"].to_list() == items["label"].to_list()
    assert items["margin_1"].to_list() == [-m for m in items["margin_2"]]
    assert figures["accuracy_balanced"] == 1.0
    habit = [margin + 5 for margin in margins]
    monkeypatch.setattr(llmbar, "log_odds", lambda *_: habit)
    figures, _ = run(folder, examples)
    assert (figures["value"], figures["first_place"], figures["accuracy_balanced"]) == (0.5, 1.0, 1.0)


def test_a_question_is_never_cut(folder, examples):
    whole = run(folder, examples)[1]
    tokenizer = load_tokenizer(folder)
    lengths = [
        len(tokenizer(render("alpaca", asked(examples, item, False), "", tokenizer) + ANSWERS[0]).input_ids)
        for item in range(5)
    ]
    limit = sorted(lengths)[3]
    figures, items = run(folder, examples, max_length=limit, min_share_used=0.8)
    assert (figures["n_used"], figures["n_expected"]) == (4, 5)
    assert items["reason"].to_list() == [None if length <= limit else llmbar.TOO_LONG for length in lengths]
    assert items["value"].is_null().to_list() == [length > limit for length in lengths]
    kept = whole.filter(items["value"].is_not_null())
    assert figures["value"] == kept["value"].mean()
    with pytest.raises(InputError, match=r"4 of 5 items .* max_length \d+ .* asks for 90%"):
        run(folder, examples, max_length=limit)


def test_a_model_that_has_diverged_is_no_judge(folder, examples, monkeypatch):
    monkeypatch.setattr(llmbar, "log_odds", lambda model, pairs, *_: [float("nan")] * len(pairs))
    with pytest.raises(InputError, match="no numbers"):
        run(folder, examples)


def test_a_question_that_does_not_fit_in_memory_is_not_used(folder, examples, monkeypatch):
    monkeypatch.setattr(llmbar, "log_odds", lambda *_: [1.0, None, *[1.0] * 8])
    figures, items = run(folder, examples, min_share_used=0.8)
    assert figures["n_used"] == 4 and items["value"].to_list() == [None, *[0.5] * 4]
    assert items["reason"].to_list() == [llmbar.NO_MEMORY, *[None] * 4]


@pytest.mark.parametrize(
    ("answer", "place"),
    [
        *[("Output (a)", 0), ("Output (b)", 1), (" output (B).\n", 1), ('"Output (a)" is better.', 0)],
        *[("**Output (b)**", 1), ("I think:\nOutput (a)", 0), ("(b)", 1), ("A", 0), ("b.", 1)],
        *[("", None), ("Output", None), ("Both", None), ("The better is Output (a)", None), ("a good one", None)],
        *[("Output (a)\nOutput (b)", None), ("Output (c)", None), ("Output a", None)],
    ],
)
def test_parsing_is_strict(answer, place):
    assert parsed(answer) == place


def test_written_answers_are_parsed_and_counted(folder, examples, monkeypatch, tmp_path):
    written = ["Output (a)", "Output (b)", "no idea", "Output (a)", "", "?", "(b)", "(b)", None, "Output (a)"]
    given = {}

    def generate(model_path, questions, settings, done):
        given.update(settings, questions=questions["instruction"].to_list(), done=done)
        finish = ["too_long" if answer is None else "stop" for answer in written]
        return pl.DataFrame({"id": questions["id"], "response": written, "finish": finish})

    monkeypatch.setattr(llmbar, "generate", generate)
    figures, items = run(folder, examples, tmp_path, answer="generated", min_share_used=0.5)
    assert given["questions"] == [asked(examples, item, swapped) for item in range(5) for swapped in (False, True)]
    assert (given["temperature"], given["max_new_tokens"], given["max_prompt_length"]) == (0.0, 50, None)
    assert (given["max_length"], given["done"]) == (1998, tmp_path / "answers.jsonl")
    # labels 1, 2, 1, 2, 1; the last item is not used
    assert items["chosen_1"].to_list() == [1, None, None, 2, None]
    assert items["chosen_2"].to_list()[:4] == [1, 2, None, 1]
    assert items["value"].to_list() == [1.0, 0.5, 0.0, 0.5, None]
    assert items["answer_2"].to_list() == written[1::2] and items["reason"].to_list() == [*[None] * 4, llmbar.TOO_LONG]
    assert figures["value"] == 0.5 and (figures["n_used"], figures["unparsed"], figures["ties"]) == (4, 3, 0)
    assert (figures["agreement"], figures["first_place"]) == (0.25, 0.4)
    assert (figures["accuracy_given"], figures["accuracy_swapped"]) == (0.5, 0.5)


def test_the_model_itself_may_write(folder, examples, tmp_path):
    figures, items = run(folder, examples, tmp_path, answer="generated")
    assert (
        figures["n_used"] == 5
        and figures["unparsed"] + items.select(pl.col("chosen_1", "chosen_2").count()).sum_horizontal().item() == 10
    )


@pytest.mark.skipif(not SHARED.is_dir(), reason="no shared data beside the project")
@pytest.mark.parametrize("name", SIZES)
def test_real_sets(name, tmp_path):
    source = {"path": str(SHARED / f"llmbar_{name}.json"), "format": "llmbar", "max_bad_share": 0.0}
    frame, *_ = read_dataset(name, source)
    write_parquet(frame, tmp_path / "examples.parquet", {})
    examples, details = read_examples(tmp_path / "examples.parquet"), read_details(tmp_path / "examples.parquet")
    assert examples.height == len(details) == SIZES[name]
    rows = json.loads((SHARED / f"llmbar_{name}.json").read_text())
    assert [item["label"] for item in details] == [row["label"] for row in rows]
    assert [item["outputs"] for item in details] == [[row["output_1"], row["output_2"]] for row in rows]
