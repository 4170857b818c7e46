"""Prompts of a judge that answers with a score. Nothing here needs torch: the config checks them.

DEITA's are verbatim, blanks at line ends included (Liu et al. 2023, arXiv 2312.15685; hkust-nlp/deita,
``llama_scorer.py``).
"""

import re

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
