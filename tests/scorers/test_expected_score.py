"""Expected score of a judge: DEITA's prompts and arithmetic, other prompts, cuts."""

import polars as pl
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from instructmining.jobs.errors import InputError
from instructmining.scorers import expected_score
from scoring import scored
from tiny import SENTENCES, tiny_gpt_neox_lm, tiny_llama
from tokenizers_ import save_family

SETTINGS = {
    **{"revision": "main", "precision": "float32", "device": "cpu", "max_length": 2048, "batch_tokens": 300},
    **{"prompt": "deita_quality", "scores": [1, 2, 3, 4, 5, 6]},
}
ROWS = [(prompt, "", response * 2) for prompt in SENTENCES[:3] for response in SENTENCES[2:5]]
ROWS += [("Add {up}", "1 and 2", "{3}"), ("Nothing", "", "")]


def examples(rows):
    columns = ("instruction", "input", "output")
    frame = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")
    return frame.with_row_index("id").with_columns(pl.col("id").cast(pl.String))


@pytest.fixture(scope="module", params=[tiny_llama, tiny_gpt_neox_lm])
def folder(request, tmp_path_factory):
    return str(request.param(tmp_path_factory.mktemp("judge")))


def deita_score(folder, text):
    """As hkust-nlp/deita does it: the whole text, the first generated position, softmax over six tokens; float64."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64).eval()
    ids = tokenizer(text, return_tensors="pt").input_ids
    with torch.no_grad():
        output = model.generate(
            ids, max_new_tokens=1, do_sample=False, output_logits=True, return_dict_in_generate=True
        )
    choices = [tokenizer(str(score), add_special_tokens=False).input_ids[-1] for score in range(1, 7)]
    weights = output.logits[0][0, choices].softmax(0)
    return float(sum(score * weight for score, weight in zip(range(1, 7), weights, strict=True)))


def test_deita_quality_is_that_of_a_plain_generation(folder):
    found = scored(expected_score, examples(ROWS), {**SETTINGS, "model_path": folder})
    plain = []
    for instruction, given, output in ROWS:
        query = f"{instruction}\n{given}" if given else instruction
        plain.append(
            deita_score(
                folder,
                "You are a helpful assistant. Please identify the quality score of the Response corresponding to the "
                f"Question. \n #Question#:\n{query}\n#Response#:\n{output} \n##Quality: ",
            )
        )
    assert found["score"].to_list() == pytest.approx(plain, abs=1e-5)
    assert max(plain) - min(plain) > 0.05  # the model can tell them apart, so the test can fail
    assert not found["truncated"].any() and found["reason"].null_count() == len(ROWS)


def test_deita_complexity_reads_the_query_alone(folder):
    settings = {**SETTINGS, "model_path": folder, "prompt": "deita_complexity"}
    found = scored(expected_score, examples(ROWS[:3]), settings)["score"]
    plain = deita_score(
        folder,
        "You are a helpful assistant. Please identify the complexity score of the following user query. \n"
        f"##Query: {ROWS[0][0]}  \n##Complexity: ",
    )
    assert found.to_list() == pytest.approx([plain] * 3, abs=1e-5)


def test_batches_and_order_change_nothing(folder):
    settings = {**SETTINGS, "model_path": folder}
    found = scored(expected_score, examples(ROWS), settings)["score"].to_list()
    alone = scored(expected_score, examples(ROWS), {**settings, "batch_tokens": 1}, rows_at_once=2)["score"].to_list()
    turned = scored(expected_score, examples(ROWS[::-1]), settings)["score"].to_list()
    assert found == pytest.approx(alone, abs=1e-5) and found == pytest.approx(turned[::-1], abs=1e-5)


def test_a_prompt_of_one_s_own(folder):
    prompt = "How useful, 0 or 9? {output}\nUseful:"
    settings = {**SETTINGS, "model_path": folder, "prompt": prompt, "scores": [0, 9]}
    found = scored(expected_score, examples(ROWS), settings)["score"]
    assert found.is_between(0, 9).all()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64).eval()
    ids = tokenizer(prompt.replace("{output}", ROWS[0][2]), return_tensors="pt").input_ids
    choices = [tokenizer(score).input_ids[0] for score in ("0", "9")]
    with torch.no_grad():
        weight = model(ids).logits[0, -1, choices].softmax(0)[1]
    assert found[0] == pytest.approx(9 * float(weight), abs=1e-5)


def test_a_long_text_keeps_the_prompt_s_last_words(folder):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    question = expected_score.ask(tokenizer, "deita_quality", SETTINGS["scores"])
    [(ids, cut), (short, uncut)] = expected_score.encode(
        tokenizer, question, examples([("Go", "", "word " * 400), ("Go", "", "x")]), 200
    )
    assert cut and len(ids) == 200 and tokenizer.decode(ids).rstrip().endswith("\n##Quality:")
    assert not uncut and len(short) < 200
    with pytest.raises(InputError, match="max_length is 5: the prompt alone is longer"):
        expected_score.encode(tokenizer, question, examples(ROWS), 5)


def test_a_blank_that_joins_every_score_is_left_to_the_judge(folder):
    """Where ' a' is one token, the prompt's own blank must not come before it as another."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    question = expected_score.ask(tokenizer, "{output}\nScore: ", ["a", "t"])
    whole = tokenizer("b\nScore: a", add_special_tokens=False).input_ids
    assert len(tokenizer(" a").input_ids) == 1 and question.added == "a"
    assert whole[-1] == question.choices[0] and whole[-1 - len(question.last_words) : -1] == question.last_words
    [(ids, _)] = expected_score.encode(tokenizer, question, examples([("Go", "", "b")]), 100)
    assert ids == whole[:-1]


def test_a_beginning_token_in_the_prompt_is_not_doubled(tmp_path):
    tokenizer = AutoTokenizer.from_pretrained(save_family("llama_2", tmp_path))
    prompt = "<s>[INST] {output} [/INST] Score: "
    question = expected_score.ask(tokenizer, prompt, [1, 2])
    [(ids, _)] = expected_score.encode(tokenizer, question, examples([("Go", "", "b")]), 100)
    assert ids[0] == tokenizer.bos_token_id and ids.count(tokenizer.bos_token_id) == 1


def test_what_cannot_be_asked(folder):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with pytest.raises(InputError, match=r"expected \{instruction\} or \{output\} in it"):
        expected_score.ask(tokenizer, "How good is it?", [1, 2])
    with pytest.raises(InputError, match="no single token for each of 1, 987"):
        expected_score.ask(tokenizer, "{output}\n", [1, 987])


def test_no_rows(folder):
    assert scored(expected_score, examples([]), {**SETTINGS, "model_path": folder}).height == 0
