"""What the papers take from lm-evaluation-harness, as plain data: the config check reads it, so nothing heavy is here.

A preset's value is the plain mean of its tasks' scores. Each task is the installed harness's own, with its prompt.
"""

from typing import NamedTuple


class PresetTask(NamedTuple):
    """A task or group of the harness, its few-shot examples, its metric, and the folder of the harness it lies in.

    None, which no preset has: the task's own number of examples, its first metric. ``by_subtask``: a group's score is
    the mean of its tasks', whatever the harness's own average is.
    """

    task: str
    few_shot: int | None
    metric: str | None
    folder: str
    by_subtask: bool = False


_ARC_CHALLENGE = PresetTask("arc_challenge", 25, "acc_norm", "arc")
_HELLASWAG = PresetTask("hellaswag", 10, "acc_norm", "hellaswag")
# the leaderboard's mean over the 57 subjects; the harness's own group averages over items
_MMLU = PresetTask("mmlu", 5, "acc", "mmlu/default", by_subtask=True)
# six questions and answers are part of the task's own prompt, whatever the few-shot number
_TRUTHFULQA = PresetTask("truthfulqa_mc2", 0, "acc", "truthfulqa")

PRESETS: dict[str, tuple[PresetTask, ...]] = {
    # IM section 4: Open LLM Leaderboard (version 1), ARC 25-shot, HellaSwag 10-shot, MMLU 5-shot, TruthfulQA 0-shot
    "openllm-v1": (_ARC_CHALLENGE, _HELLASWAG, _MMLU, _TRUTHFULQA),
    # CR section 4 names OpenLLM and these six tasks (it speaks of seven), and neither few-shot numbers nor metrics:
    # they are that leaderboard's, where WinoGrande has 5; ARC-Easy, which it does not have, goes as ARC-Challenge
    "chasing-random": (
        _MMLU,
        PresetTask("arc_easy", 25, "acc_norm", "arc"),
        _ARC_CHALLENGE,
        PresetTask("winogrande", 5, "acc", "winogrande"),
        _TRUTHFULQA,
        _HELLASWAG,
    ),
}
PROMPTS = ("none", "recipe", "chat")
