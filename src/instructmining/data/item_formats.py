"""Formats of benchmarks whose items are no training examples: what is asked, and what the answer is checked against.

As in `data.formats`, with ``details`` beside: what the kind of benchmark needs and an example has no place
for, as plain JSON. Their outputs may be empty.
"""

from collections.abc import Callable
from math import isfinite
from typing import Any

from instructmining.data.formats import Reject, Row, Triple, optional, text, values

Details = dict[str, Any]


def parse(row: Any, settings: dict[str, Any]) -> tuple[Triple, Details]:
    """(instruction, input, output) of a row, and its details. Raises Reject."""
    if not isinstance(row, dict):
        raise Reject("wrong_type")
    return ITEM_FORMATS[settings["format"]](row)


def ifeval(row: Row) -> tuple[Triple, Details]:
    """IFEval (Zhou et al. 2023): ``prompt``, ``instruction_id_list`` and one of ``kwargs`` for each; ``key``."""
    names, arguments = values(row, "instruction_id_list"), values(row, "kwargs")
    if not names:
        raise Reject("missing_field:instruction_id_list")
    fitting = len(names) == len(arguments) and all(isinstance(one, dict) for one in arguments)
    if not fitting or not all(isinstance(name, str) for name in names):
        raise Reject("wrong_type")
    # a table's rows name every argument there is, null where it is not the instruction's
    given = [{key: value for key, value in one.items() if value is not None} for one in arguments]
    return (text(row, "prompt"), "", ""), {"key": row.get("key"), "instruction_id_list": names, "kwargs": given}


def llmbar(row: Row) -> tuple[Triple, Details]:
    """LLMBar (Zeng et al. 2024): ``input``, ``output_1``, ``output_2``, ``label`` 1 or 2, the better and our output."""
    outputs = [text(row, "output_1"), text(row, "output_2")]
    label = row.get("label")
    if isinstance(label, bool) or label not in (1, 2):
        raise Reject("missing_field:label" if label is None else "wrong_type")
    return (text(row, "input"), "", outputs[label - 1]), {"outputs": outputs, "label": label}


def questions(row: Row) -> tuple[Triple, Details]:
    """Questions, perhaps with reference answers: MT-Bench's ``turns``, of which the first, or ``instruction``.

    ``input``, ``output`` (the reference answer), ``category`` or ``dataset`` (AlpacaEval's word for it) and
    ``instruction_difficulty`` (AlpacaEval's, of beating its reference answers) may be absent.
    """
    if row.get("turns") is None:
        instruction = text(row, "instruction", "prompt")
    else:
        turns = values(row, "turns")
        if not turns or not isinstance(turns[0], str):
            raise Reject("wrong_type" if turns else "missing_field:turns")
        instruction = turns[0]
    triple = (instruction, optional(row, "input"), optional(row, "output"))
    details: Details = {"category": optional(row, "category", "dataset") or None}
    difficulty = row.get("instruction_difficulty")
    if difficulty is None:
        return triple, details
    if isinstance(difficulty, bool) or not isinstance(difficulty, int | float) or not isfinite(difficulty):
        raise Reject("wrong_type")
    return triple, {**details, "difficulty": difficulty}


ITEM_FORMATS: dict[str, Callable[[Row], tuple[Triple, Details]]] = {
    "ifeval": ifeval,
    "llmbar": llmbar,
    "questions": questions,
}
