"""Writing on from prompts with vLLM, where it is installed: it batches by itself, and refills a batch as rows end.

It has not been run on a GPU: tests check what vLLM is given and how its answers are read. Greedy responses are
transformers' but for rounding; sampled ones are others, of the same distribution.
"""

import os
from collections.abc import Callable, Sequence
from typing import Any

from instructmining.models.decoding import STOP, Manner, Written, ended, row_seed

# kept at a time: what a killed job does not generate again
_AT_ONCE = 1024


def write(
    model_path: str,
    precision: str,
    tokenizer: Any,
    prompts: Sequence[list[int]],
    names: Sequence[str],
    manner: Manner,
    keep: Callable[[list[tuple[int, Written]]], None],
) -> None:
    """As `instructmining.models.decoding.write`, on one GPU, with as much of its memory as vLLM takes by itself.

    Errors: RuntimeError where vLLM gives a row up.
    """
    # in a process of its own it would import the job's main module again, which is the job
    os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"
    from vllm import LLM, SamplingParams

    room = max(map(len, prompts)) + manner.max_new_tokens
    # "vllm": without the sampling settings of the model's own generation config
    llm = LLM(model=model_path, dtype=precision, max_model_len=room, seed=manner.seed, generation_config="vllm")
    sampled = manner.temperature > 0
    params = [
        SamplingParams(
            temperature=manner.temperature,
            top_p=manner.top_p if sampled else 1.0,
            seed=row_seed(manner.seed, name) if sampled else None,
            max_tokens=manner.max_new_tokens,
            stop=list(manner.stops) or None,
            stop_token_ids=sorted(manner.ends),
        )
        for name in names
    ]
    for start in range(0, len(prompts), _AT_ONCE):
        part = range(start, min(start + _AT_ONCE, len(prompts)))
        asked = [{"prompt_token_ids": prompts[row]} for row in part]
        answers = llm.generate(asked, params[start : part.stop], use_tqdm=False)
        keep([(row, _read(answer.outputs[0], tokenizer, manner)) for row, answer in zip(part, answers, strict=True)])


def _read(output: Any, tokenizer: Any, manner: Manner) -> Written:
    if output.finish_reason not in ("stop", "length"):
        raise RuntimeError(f"vllm gave a row up: finish_reason {output.finish_reason}")
    ids = list(output.token_ids)
    # without an end among its tokens, vLLM has left the end token out
    return ended(ids, tokenizer, manner) or Written(tokenizer.decode(ids, skip_special_tokens=True), len(ids), STOP)
