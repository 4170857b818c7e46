"""Items of benchmarks: what is read of their sources, and what is kept beside the prompt."""

import json
from pathlib import Path

import pytest

from instructmining.data.examples import EXAMPLE_SCHEMA, read_details, read_examples
from instructmining.data.reading import read_dataset
from instructmining.jobs.errors import InputError
from instructmining.jobs.files import write_parquet

SHARED = Path(__file__).parents[2] / "../shared/data"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="no shared data beside the project")

IFEVAL = {"key": 7, "prompt": " Write.\n", "instruction_id_list": ["a:b", "a:c"], "kwargs": [{}, {"n": 0, "m": None}]}
LLMBAR = {"input": "Which?", "output_1": "bad", "output_2": "good", "label": 2}
MT_BENCH = {"question_id": 81, "category": "writing", "turns": ["Compose.", "Again."]}
ALPACA_EVAL = {"instruction": "Say.", "output": "Said.", "dataset": "koala", "generator": "x"}


def read(tmp_path, rows, name):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    frame, rejected, _ = read_dataset("mine", {"path": str(path), "format": name, "max_bad_share": 1.0})
    write_parquet(frame, tmp_path / "examples.parquet", {})
    return tmp_path / "examples.parquet", rejected


@pytest.mark.parametrize(
    ("name", "row", "texts", "details"),
    [
        ("ifeval", IFEVAL, ("Write.", ""), {"key": 7, "instruction_id_list": ["a:b", "a:c"], "kwargs": [{}, {"n": 0}]}),
        ("llmbar", LLMBAR, ("Which?", "good"), {"outputs": ["bad", "good"], "label": 2}),
        ("questions", MT_BENCH, ("Compose.", ""), {"category": "writing"}),
        ("questions", ALPACA_EVAL, ("Say.", "Said."), {"category": "koala"}),
        ("questions", {"instruction": "Say."}, ("Say.", ""), {"category": None}),
        (
            "questions",
            {"instruction": "Say.", "instruction_difficulty": -0.5},
            ("Say.", ""),
            {"category": None, "difficulty": -0.5},
        ),
    ],
)
def test_an_item_is_its_prompt_and_what_its_answer_is_checked_against(tmp_path, name, row, texts, details):
    path, rejected = read(tmp_path, [row], name)
    examples = read_examples(path)
    assert examples.schema == EXAMPLE_SCHEMA
    assert examples.select("instruction", "output").rows() == [texts] and not rejected
    assert read_details(path) == [details]


@pytest.mark.parametrize(
    ("name", "row", "reason"),
    [
        ("ifeval", {**IFEVAL, "kwargs": [{}]}, "wrong_type"),
        ("ifeval", {**IFEVAL, "instruction_id_list": []}, "missing_field:instruction_id_list"),
        ("ifeval", {"prompt": "Write."}, "missing_field:instruction_id_list"),
        ("llmbar", {**LLMBAR, "label": 3}, "wrong_type"),
        ("llmbar", {**LLMBAR, "label": None}, "missing_field:label"),
        ("llmbar", {**LLMBAR, "output_1": None}, "missing_field:output_1"),
        ("questions", {"instruction": "q", "instruction_difficulty": "hard"}, "wrong_type"),
        ("questions", {"turns": []}, "missing_field:turns"),
        ("questions", {"turns": [["no"]]}, "wrong_type"),
        ("questions", {"instruction": " "}, "empty_instruction"),
        ("questions", {"instruction": "q", "category": "nul \0"}, None),
    ],
)
def test_a_row_that_is_no_item_is_told_why(tmp_path, name, row, reason):
    good = {"ifeval": IFEVAL, "llmbar": LLMBAR, "questions": MT_BENCH}[name]
    path, rejected = read(tmp_path, [good, row], name)
    assert [entry["reason"] for entry in rejected] == ([reason] if reason else [])
    assert len(read_details(path)) == (1 if reason else 2)


def test_examples_without_details_are_told_so(tmp_path):
    path, _ = read(tmp_path, [ALPACA_EVAL], "alpaca")
    assert read_examples(path).schema == EXAMPLE_SCHEMA
    with pytest.raises(InputError, match=r"examples.parquet: has no details: its dataset must have one of the formats"):
        read_details(path)


@needs_shared
@pytest.mark.parametrize(
    ("file", "name", "rows"),
    [
        ("ifeval_541.jsonl", "ifeval", 541),
        ("llmbar_natural.json", "llmbar", 100),
        ("mt_bench_questions.jsonl", "questions", 80),
    ],
)
def test_the_published_files_are_read_whole(file, name, rows):
    settings = {"path": str(SHARED / file), "format": name, "max_bad_share": 0.0}
    frame, rejected, _ = read_dataset("published", settings)
    assert (frame.height, rejected) == (rows, [])
