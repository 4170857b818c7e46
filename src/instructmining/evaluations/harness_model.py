"""A run as lm-evaluation-harness sees it: its HFLM, with the recipe's prompt, this project's loader and a job's log."""

from collections.abc import Callable
from typing import Any

from lm_eval.api.model import CacheHook
from lm_eval.models.huggingface import HFLM

from instructmining.jobs.errors import InputError
from instructmining.jobs.log import progress
from instructmining.models.loading import check_length, load_causal_lm, load_tokenizer
from instructmining.models.prompts import render


class _Advance(CacheHook):
    """The harness tells its cache of every finished request; here the job's log hears of it."""

    def __init__(self, advance: Callable[[int], None]) -> None:
        super().__init__(None)
        self.advance = advance

    def add_partial(self, attr: str, req: Any, res: Any) -> None:
        self.advance(1)


class RunModel(HFLM):
    """The model of a run. ``template`` wraps every request whole, few-shot examples included, as one instruction.

    ``truncated`` counts the requests that were longer than the model reads, and lost their beginning.
    Errors: InputError for a tokenizer without an end token, or a ``max_length`` beyond the model's.
    """

    def __init__(self, path: str, settings: dict[str, Any]) -> None:
        tokenizer = load_tokenizer(path)
        if tokenizer.eos_token_id is None:
            raise InputError(f"{path}: its tokenizer has no end token, and the harness needs one")
        model = load_causal_lm(path, precision=settings["precision"], device=settings["device"])
        if settings["max_length"]:
            check_length(model, settings["max_length"], path)
        size = settings["batch_size"]
        super().__init__(
            pretrained=model,
            tokenizer=tokenizer,
            # the harness tries ever smaller batches until one fits: main memory has no end that it could hit
            batch_size=1 if size == "auto" and settings["device"] == "cpu" else size,
            max_length=settings["max_length"],
            # sums of probabilities rounded to bfloat16 would be a few dozen distinct values
            softmax_dtype="float32",
        )
        self.template = "chat" if settings["prompt"] == "chat" else settings["template"]
        self.truncated = 0

    def apply_chat_template(self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
        """The request as plain text, rendered as one instruction; what the task itself begins of the answer after it.

        A system turn (the task's description) is put first, as the harness does without a template.
        """
        instruction = "".join(turn["content"] for turn in chat_history if turn["role"] != "assistant")
        begun = "".join(turn["content"] for turn in chat_history if turn["role"] == "assistant")
        return render(self.template, instruction, "", self.tokenizer) + begun

    def loglikelihood(self, requests: list[Any], disable_tqdm: bool = False) -> Any:
        self.set_cache_hook(_Advance(progress(len(requests), "requests")))
        return super().loglikelihood(requests, disable_tqdm=True)

    def generate_until(self, requests: list[Any], disable_tqdm: bool = False) -> Any:
        self.set_cache_hook(_Advance(progress(len(requests), "requests")))
        return super().generate_until(requests, disable_tqdm=True)

    def _loglikelihood_tokens(self, requests: list[Any], *args: Any, **settings: Any) -> Any:
        for _, context, continuation in requests:
            if len(continuation) > self.max_length:
                raise InputError(
                    f"harness: an answer of {len(continuation)} tokens does not fit max_length {self.max_length}"
                )
            self.truncated += len(context) + len(continuation) > self.max_length + 1
        return super()._loglikelihood_tokens(requests, *args, **settings)

    def tok_batch_encode(
        self, strings: list[str], padding_side: str = "left", left_truncate_len: int | None = None, **settings: Any
    ) -> Any:
        ids, mask = super().tok_batch_encode(strings, padding_side, None, **settings)
        if left_truncate_len is None or ids.shape[1] <= left_truncate_len:
            return ids, mask
        self.truncated += int(mask[:, :-left_truncate_len].any(dim=1).sum())
        return ids[:, -left_truncate_len:], mask[:, -left_truncate_len:]
