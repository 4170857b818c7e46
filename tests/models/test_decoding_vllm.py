"""What vLLM is given, and how its answers are read: a small fake stands for it."""

import sys
import types
from importlib.machinery import ModuleSpec

import pytest
from transformers import AutoTokenizer

from generating import EXAMPLES, SAMPLED, SETTINGS
from instructmining.jobs.errors import InputError
from instructmining.models.generation import chosen_engine, generate, prompt_ids
from tiny import tiny_llama


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return str(tiny_llama(tmp_path_factory.mktemp("model")))


@pytest.fixture
def made(tmp_path, folder):
    """Generate with changed settings, each time from nothing."""
    count = iter(range(100))

    def made(examples=EXAMPLES, model=folder, **changed):
        return generate(model, examples, {**SETTINGS, **changed}, tmp_path / f"{next(count)}.jsonl")

    return made


class FakeVllm(types.ModuleType):
    """Checks what vLLM is given, and answers with these tokens."""

    def __init__(self, answers):
        super().__init__("vllm")
        self.__spec__, self.asked, self.made = ModuleSpec("vllm", None), [], []
        fake = self

        class SamplingParams:
            def __init__(self, **settings):
                self.__dict__.update(settings)

        class LLM:
            def __init__(self, **settings):
                fake.made.append(settings)

            def generate(self, prompts, params, use_tqdm):
                fake.asked += zip([list(prompt) for prompt in prompts], params, strict=True)
                rows = [answers[tuple(prompt["prompt_token_ids"])] for prompt in prompts]
                return [types.SimpleNamespace(outputs=[types.SimpleNamespace(**row)]) for row in rows]

        self.LLM, self.SamplingParams = LLM, SamplingParams
        self.params = lambda: [params.__dict__ for _, params in self.asked]


@pytest.fixture
def vllm(folder, monkeypatch):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    end, text = tokenizer.eos_token_id, tokenizer("The capital is Paris.").input_ids
    answers = [
        {"token_ids": [*text, end], "finish_reason": "stop"},
        {"token_ids": text, "finish_reason": "stop"},
        {"token_ids": tokenizer(" Yes.\n### Instruction:").input_ids, "finish_reason": "stop"},
        {"token_ids": (text * 9)[:24], "finish_reason": "length"},
    ]
    rows = prompt_ids(EXAMPLES.head(4), tokenizer, "alpaca_short")
    fake = FakeVllm({tuple(row): answer for row, answer in zip(rows, answers, strict=True)})
    monkeypatch.setitem(sys.modules, "vllm", fake)
    monkeypatch.setenv("VLLM_ENABLE_V1_MULTIPROCESSING", "1")
    return fake


def test_vllm_is_given_tokens_and_its_answers_are_read_as_ours(made, folder, vllm):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    four, length = EXAMPLES.head(4), len(tokenizer("The capital is Paris.").input_ids)
    with pytest.raises(InputError, match=r"engine: vllm was asked for, .* and the device is cpu"):
        made(four, engine="vllm")
    found = made(four, device="cuda", stop=["halt"], seed=3)
    stop_tokens = len(tokenizer(" Yes.\n### Instruction:").input_ids)
    assert found.select("response", "tokens", "finish").rows() == [
        ("The capital is Paris.", length + 1, "stop"),
        ("The capital is Paris.", length, "stop"),
        ("Yes.", stop_tokens, "stop"),
        (found["response"][3], 24, "length"),
    ]
    longest = max(map(len, prompt_ids(four, tokenizer, "alpaca_short")))
    assert vllm.made == [
        {"model": folder, "dtype": "float32", "max_model_len": longest + 24, "seed": 3, "generation_config": "vllm"}
    ]
    greedy = {"temperature": 0, "top_p": 1.0, "seed": None, "max_tokens": 24}
    greedy |= {"stop": ["### Instruction:", "halt"], "stop_token_ids": [tokenizer.eos_token_id]}
    assert vllm.params() == [greedy] * 4
    vllm.asked.clear()
    made(four, device="cuda", **SAMPLED)
    sampled = vllm.params()
    assert len({params["seed"] for params in sampled}) == 4
    assert {(params["temperature"], params["top_p"]) for params in sampled} == {(1.0, 0.9)}
    vllm.asked.clear()
    made(four.tail(1), device="cuda", **SAMPLED)
    assert vllm.params() == sampled[-1:]


def test_vllm_that_gives_a_row_up(made, vllm):
    for answer in vllm.LLM.generate.__closure__[0].cell_contents.values():
        answer["finish_reason"] = "abort"
    with pytest.raises(RuntimeError, match="vllm gave a row up: finish_reason abort"):
        made(EXAMPLES.head(4), device="cuda")


def test_the_engine(monkeypatch, vllm):
    assert chosen_engine({"engine": "auto", "device": "cuda"}) == "vllm"
    assert chosen_engine({"engine": "transformers", "device": "cuda"}) == "transformers"
    assert chosen_engine({"engine": "auto", "device": "cpu"}) == "transformers"
    monkeypatch.delitem(sys.modules, "vllm")
    assert chosen_engine({"engine": "auto", "device": "cuda"}) == "transformers"
    with pytest.raises(InputError, match=r"engine: vllm was asked for, .* and it is not installed"):
        chosen_engine({"engine": "vllm", "device": "cuda"})
