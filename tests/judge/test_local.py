"""A judge on this machine: greedy answers, batches, and what does not fit."""

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from instructmining.jobs.errors import InputError
from instructmining.judge.records import Records
from instructmining.scorers import judge
from judging import examples
from scoring import scored
from tiny import tiny_llama

REQUEST = {"temperature": 0.0, "max_tokens": 8}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return str(tiny_llama(tmp_path_factory.mktemp("judge")))


def settings(root, folder, **changed):
    return {
        **{"scorer": "judge", "backend": "local", "model_path": folder, "revision": "main", "precision": "float32"},
        **{"model_record": {"model": "tiny", "revision": "local"}, "device": "cpu", "batch_tokens": 1500},
        **{"prompt": "alpagasus", "scale": None, "request": REQUEST, "min_share_used": 0.0, "max_length": 1000},
        **{"calls": {}, "answers": ["entry", "part", str(root)], "costs": str(root / "costs.json"), **changed},
    }


def test_answers_are_those_of_one_row_at_a_time(tmp_path, folder):
    scored(judge, examples(range(7)), settings(tmp_path, folder))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    records = Records("entry", "other", tmp_path).answers.values()
    assert len(records) == 7 and len({record["answer"] for record in records}) > 1
    for record in records:
        text = tokenizer.apply_chat_template(record["asked"]["messages"], tokenize=False, add_generation_prompt=True)
        ids = tokenizer(text, add_special_tokens=False, return_tensors="pt").input_ids
        ids = torch.cat([torch.tensor([tokenizer("a").input_ids[:-1]], dtype=torch.int64), ids], dim=1)
        found = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=8, do_sample=False)[0]
        answer = found[ids.shape[1] :]
        assert record["answer"] == tokenizer.decode(answer, skip_special_tokens=True)
        assert record["usage"] == {"input": ids.shape[1], "output": len(answer)}


def test_what_is_recorded_is_not_generated_again(tmp_path, folder):
    first = scored(judge, examples(range(3)), settings(tmp_path, folder))
    nowhere = str(tmp_path / "answers")
    assert scored(judge, examples(range(3)), settings(tmp_path, nowhere)).equals(first)
    with pytest.raises(InputError, match=r"answers \(revision main\): expected a folder"):
        scored(judge, examples(range(3)), settings(tmp_path, nowhere, precision="bfloat16"))


def test_a_long_question_is_null_and_a_judge_without_scores_fails(tmp_path, folder):
    found = scored(judge, examples(range(3)), settings(tmp_path, folder, max_length=10))
    assert found["reason"].unique().to_list() == ["refused: question over max_length tokens"]
    with pytest.raises(InputError, match=r"judge: 0 of 3 rows have a score; min_share_used asks for 90% \("):
        scored(judge, examples(range(3)), settings(tmp_path, folder, min_share_used=0.9))


def test_room_for_question_and_answer(tmp_path, folder):
    with pytest.raises(InputError, match="up to 4100 tokens are to be read, and the model has 4096 positions"):
        scored(judge, examples(range(3)), settings(tmp_path, folder, max_length=4092))


def test_no_rows(tmp_path, folder):
    assert scored(judge, examples(range(0)), settings(tmp_path, folder)).height == 0
