"""Prompts of a judge that answers with a score. Nothing here needs torch: the config checks them.

PROMPTS are texts behind which the score must follow. DEITA's are verbatim, blanks at line ends included (Liu et al.
2023, arXiv 2312.15685; hkust-nlp/deita, ``llama_scorer.py``). JUDGE_PROMPTS are messages, answered with a score and an
explanation. ``alpagasus``: AlpaGasus's for the dimension accuracy, 0 to 5 (Chen et al. 2023, arXiv 2307.08701);
``alpagasus_1_to_5``: the same with the scale that Diddee & Ippolito 2024 give for it.
"""

import re
from typing import NamedTuple

Scale = tuple[float, float]

PROMPTS = {
    "deita_complexity": (
        "You are a helpful assistant. Please identify the complexity score of the following user query. \n"
        "##Query: {instruction}  \n##Complexity: "
    ),
    "deita_quality": (
        "You are a helpful assistant. Please identify the quality score of the Response corresponding to the Question."
        " \n #Question#:\n{instruction}\n#Response#:\n{output} \n##Quality: "
    ),
}


FIELD = re.compile(r"\{(instruction|output)\}")


def has_field(prompt: str) -> bool:
    """Whether a prompt, by name or as text, asks about something: {instruction} (input included) or {output}."""
    return FIELD.search(PROMPTS.get(prompt, prompt)) is not None


class Prompt(NamedTuple):
    """Messages as (role, text with {instruction}, {input} and {output}), and the scale of the answer.

    ``version`` is part of the key of every recorded answer: a prompt whose words change is asked anew.
    """

    version: str
    messages: tuple[tuple[str, str], ...]
    scale: Scale


def _alpagasus(low: int, high: int) -> tuple[tuple[str, str], ...]:
    """As in the authors' rating script for the dimension accuracy, uneven marks and line ends included."""
    return (
        (
            "system",
            "We would like to request your feedback on the performance of AI assistant in response to the instruction "
            "and the given input displayed following.",
        ),
        (
            "user",
            "###Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:\n{output}\n\n"
            "Please rate according to the accuracy of the response to the instruction and the input. Each assistant "
            f"receives a score on a scale of {low} to {high}, where a higher score indicates higher level of the "
            "accuracy. Please first output a single line containing value indicating the scores. In the subsequent "
            "line, please provide a comprehensive explanation of your evaluation, avoiding any potential bias. \n\n",
        ),
    )


JUDGE_PROMPTS = {
    "alpagasus": Prompt("alpagasus/2", _alpagasus(0, 5), (0, 5)),
    "alpagasus_1_to_5": Prompt("alpagasus_1_to_5/2", _alpagasus(1, 5), (1, 5)),
}
