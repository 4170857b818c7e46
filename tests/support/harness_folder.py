"""A folder of harness tasks over local JSONL, in each output type, whose right answers a given model half knows."""

import json
from pathlib import Path
from typing import Any

import yaml
from datasets import Dataset, DatasetDict

from instructmining.models.loading import load_causal_lm, load_tokenizer

MEAN = {"aggregation": "mean", "higher_is_better": True}
PLACES = ["France", "Japan", "a very large city", "東京", "the sky", "six", "Paris", "a child", "Einwohner"]


def greedy(model: str, prompt: str, tokens: int) -> str:
    """What the model writes after ``prompt``, one plain forward pass a token."""
    tokenizer, network = load_tokenizer(model), load_causal_lm(model)
    ids = tokenizer(prompt, return_tensors="pt")["input_ids"]
    found = network.generate(input_ids=ids, do_sample=False, max_new_tokens=tokens, pad_token_id=0)
    return str(tokenizer.decode(found[0, ids.shape[1] :], skip_special_tokens=True))


def write_task(folder: Path, name: str, rows: list[dict[str, Any]], examples: int = 0, **settings: Any) -> None:
    """A task over ``rows``, of which the first ``examples`` are kept for few-shot prompts."""
    files = {"test": str(folder / f"{name}.jsonl")}
    Path(files["test"]).write_text("".join(json.dumps(row) + "\n" for row in rows[examples:]))
    if examples:
        files["train"] = str(folder / f"{name}_train.jsonl")
        Path(files["train"]).write_text("".join(json.dumps(row) + "\n" for row in rows[:examples]))
        settings["training_split"] = "train"
    task = {"task": name, "dataset_path": "json", "dataset_kwargs": {"data_files": files}, "test_split": "test"}
    (folder / f"{name}.yaml").write_text(yaml.safe_dump({**task, **settings, "metadata": {"version": 3}}))


def write_tasks(folder: Path, model: str) -> str:
    """`choice` (multiple choice), `blank` (choices in the question), `cloze` (log-likelihood), `reply` (generation)."""
    folder.mkdir(exist_ok=True)
    questions = [f"What is {place}?" for place in PLACES]
    choices = [[place, "the capital of France", "no"] for place in PLACES]
    write_task(
        folder,
        "choice",
        [{"question": q, "choices": c, "gold": i % 3} for i, (q, c) in enumerate(zip(questions, choices, strict=True))],
        examples=3,
        description="Answer the questions.\n\n",
        output_type="multiple_choice",
        doc_to_text="Question: {{question}}\nAnswer:",
        doc_to_choice="{{choices}}",
        doc_to_target="{{gold}}",
        metric_list=[{"metric": "acc", **MEAN}, {"metric": "acc_norm", **MEAN}],
    )
    write_task(
        folder,
        "blank",
        [{"sentence": f"{place} is _ blue.", "pair": [f"{place} is", f"Why {place}"], "gold": 1} for place in PLACES],
        output_type="multiple_choice",
        doc_to_text="!function reading.gold",
        doc_to_choice="pair",
        doc_to_target="!function reading.rest",
        doc_to_decontamination_query="sentence",
        metric_list=[{"metric": "acc", **MEAN}],
    )
    path = folder / "blank.yaml"  # safe_dump quotes the tags
    path.write_text(path.read_text().replace("'!function reading.gold'", "!function reading.gold"))
    path.write_text(path.read_text().replace("'!function reading.rest'", "!function reading.rest"))
    (folder / "reading.py").write_text(
        "def gold(doc):\n    return doc['gold']\n\n\ndef rest(doc):\n    return 'blue.'\n"
    )
    known = [greedy(model, f"{question} It is", 1) for question in questions]
    write_task(
        folder,
        "cloze",
        [{"question": q, "next": known[i] if i % 2 else " not"} for i, q in enumerate(questions)],
        output_type="loglikelihood",
        doc_to_text="{{question}} It is",
        doc_to_target="{{next}}",
        target_delimiter="",
        metric_list=[
            {"metric": "perplexity", "aggregation": "perplexity", "higher_is_better": False},
            {"metric": "acc", **MEAN},
        ],
    )
    said = [greedy(model, f"{question}\n", 6) for question in questions]
    write_task(
        folder,
        "reply",
        [{"question": q, "answer": said[i] if i % 3 else "nothing"} for i, q in enumerate(questions)],
        output_type="generate_until",
        fewshot_split="test",
        doc_to_text="{{question}}\n",
        doc_to_target="{{answer}}",
        generation_kwargs={"until": ["<|endoftext|>"], "max_gen_toks": 6, "do_sample": False},
        metric_list=[{"metric": "exact_match", **MEAN}],
    )
    return str(folder)


def hub_data(path: str, name: str | None = None, **_: Any) -> DatasetDict:
    """What the hub has for the presets' tasks, in its columns: a few rows of our own, each of them told apart."""
    answer = {"text": ["red", "blue", "a long green answer"], "label": ["A", "B", "C"]}
    known = {"choices": ["It is blue.", "It is red.", "Who knows?"], "labels": [1, 0, 0]}
    columns: dict[str, Any] = {
        "allenai/ai2_arc": {"question": "What is {}?", "choices": answer, "answerKey": "B"},
        "Rowan/hellaswag": {
            **{"ctx_a": "{} looks up.", "ctx_b": "then it", "activity_label": "Looking", "label": "2"},
            "endings": ["falls.", "sees the sky.", "sings [title] a song.", "is six."],
        },
        "cais/mmlu": {"question": " What is {}? ", "choices": ["1", "2", "3", "4"], "answer": 2, "subject": name},
        "truthfulqa/truthful_qa": {"question": "Is {} blue?", "mc1_targets": known, "mc2_targets": known},
        "allenai/winogrande": {"sentence": "{} saw _ sing.", "option1": "him", "option2": "her", "answer": "2"},
    }

    def rows(count: int, split: str) -> Dataset:
        filled = [
            {
                column: value.format(f"{split} {row}") if isinstance(value, str) else value
                for column, value in columns[path].items()
            }
            for row in range(count)
        ]
        return Dataset.from_list(filled)

    return DatasetDict(
        {split: rows(count, split) for split, count in {"train": 30, "dev": 5, "validation": 3, "test": 3}.items()}
    )
