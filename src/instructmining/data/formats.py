"""Formats: how a row of a source becomes instruction, input and output.

A function a format, ``FORMATS`` by name: row (a dict), the dataset's settings, a counter of notes -> triples.
A row that does not fit raises ``Reject`` with a reason of a small vocabulary: ``wrong_type``,
``missing_field:<name>``, ``wrong_role``, ``no_user_turn``, ``no_assistant_turn``, ``deleted``.
Notes count the rows that were used in part: ``system_dropped``, ``later_turns_dropped``,
``other_replies_dropped``, ``history_joined``. Whether texts are empty or broken is the caller's to judge.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

Row = dict[str, Any]
Triple = tuple[str, str, str]
Notes = Counter[str]

USER, ASSISTANT, SYSTEM = "user", "assistant", "system"
ROLES = {
    "human": USER,
    "user": USER,
    "prompter": USER,
    "gpt": ASSISTANT,
    "assistant": ASSISTANT,
    "system": SYSTEM,
}
SPEAKERS = {USER: "Human", ASSISTANT: "Assistant"}


class Reject(Exception):
    """The row does not fit its format; the message is the reason."""


def parse(row: Any, settings: dict[str, Any]) -> tuple[list[Triple], Notes]:
    """(instruction, input, output) for each example of a row, and what was left out of it.

    ``settings``: ``format``, and ``side`` or ``columns`` where the format needs them. Raises Reject.
    """
    if not isinstance(row, dict):
        raise Reject("wrong_type")
    notes: Notes = Counter()
    return FORMATS[settings["format"]](row, settings, notes), notes


def alpaca(row: Row, settings: dict[str, Any], notes: Notes) -> list[Triple]:
    """``instruction``, ``input`` (may be absent), ``output``."""
    return [(text(row, "instruction"), optional(row, "input"), text(row, "output"))]


def dolly(row: Row, settings: dict[str, Any], notes: Notes) -> list[Triple]:
    """``instruction``, ``context`` or ``input`` (may be absent), ``response`` or ``output``."""
    return [
        (text(row, "instruction"), optional(row, "context", "input"), text(row, "response", "output")),
    ]


def columns(row: Row, settings: dict[str, Any], notes: Notes) -> list[Triple]:
    """Columns named in the config: ``columns: {instruction: …, input: … (may be absent), output: …}``."""
    named = settings["columns"]
    input = optional(row, named["input"]) if named.get("input") else ""
    return [(text(row, named["instruction"]), input, text(row, named["output"]))]


def instances(row: Row, settings: dict[str, Any], notes: Notes) -> list[Triple]:
    """Self-Instruct: ``instruction`` and a list ``instances`` of ``input`` (may be absent) and ``output``."""
    instruction, found = text(row, "instruction"), values(row, "instances")
    if not found:
        raise Reject("missing_field:instances")
    if not all(isinstance(instance, dict) for instance in found):
        raise Reject("wrong_type")
    return [(instruction, optional(instance, "input"), text(instance, "output")) for instance in found]


def sharegpt(row: Row, settings: dict[str, Any], notes: Notes) -> list[Triple]:
    """First exchange of ``conversations``: turns of ``from`` (human, gpt, system) and ``value``."""
    return [_first_exchange(values(row, "conversations"), notes)]


def messages(row: Row, settings: dict[str, Any], notes: Notes) -> list[Triple]:
    """First exchange of ``messages``: turns of ``role`` (user, assistant, system) and ``content``, which is
    a string or a list of text parts."""
    return [_first_exchange(values(row, "messages"), notes)]


def oasst(row: Row, settings: dict[str, Any], notes: Notes) -> list[Triple]:
    """Open-Assistant message tree: ``prompt`` with ``replies``. The best-ranked reply (smallest ``rank``), or
    the first where none is ranked; deleted replies, and replies by others than the assistant, do not count."""
    prompt = row.get("prompt")
    if prompt is None:
        raise Reject("missing_field:prompt")
    if not isinstance(prompt, dict):
        raise Reject("wrong_type")
    if prompt.get("deleted"):
        raise Reject("deleted")
    if _role(prompt) != USER:
        raise Reject("wrong_role")
    replies = values(prompt, "replies")
    if not all(isinstance(reply, dict) for reply in replies):
        raise Reject("wrong_type")
    usable = [reply for reply in replies if not reply.get("deleted") and reply.get("role") == ASSISTANT]
    if not usable:
        raise Reject("no_assistant_turn")
    best = min(usable, key=_rank)
    notes["other_replies_dropped"] += len(replies) > 1
    notes["later_turns_dropped"] += bool(best.get("replies"))
    return [(text(prompt, "text"), "", text(best, "text"))]


def preference(row: Row, settings: dict[str, Any], notes: Notes) -> list[Triple]:
    """One side (``side``: chosen or rejected) of a preference pair.

    The answer is a string, a turn, or a list of turns. The prompt is ``conversations``, ``messages`` or
    ``prompt`` (a string or turns), or ``instruction`` with ``input``, or what precedes the answer in its list.
    The two answers reply to the last human turn: what came before it is joined into the instruction.
    """
    side = settings["side"]
    answer = row.get(side)
    if answer is None:
        raise Reject(f"missing_field:{side}")
    if isinstance(answer, str):
        return [(*_preference_prompt(row, [], notes), answer)]
    turns = _without_system([_turn(turn) for turn in (answer if isinstance(answer, list) else [answer])], notes)
    if not turns or turns[-1][0] != ASSISTANT:
        raise Reject("no_assistant_turn")
    return [(*_preference_prompt(row, turns[:-1], notes), turns[-1][1])]


def _preference_prompt(row: Row, history: list[tuple[str, str]], notes: Notes) -> tuple[str, str]:
    if not history:
        name = next((n for n in ("conversations", "messages", "prompt") if row.get(n) is not None), None)
        if name is None:
            return text(row, "instruction"), optional(row, "input")
        if isinstance(row[name], str):
            return row[name], ""
        history = _without_system([_turn(turn) for turn in values(row, name)], notes)
    if not history or history[-1][0] != USER:
        raise Reject("no_user_turn")
    if len(history) == 1:
        return history[0][1], ""
    notes["history_joined"] += 1
    return "\n\n".join(f"{SPEAKERS[role]}: {text}" for role, text in history), ""


def _first_exchange(turns: list[Any], notes: Notes) -> Triple:
    start = 0
    while start < len(turns) and _role(turns[start]) == SYSTEM:
        start += 1
    exchange = [_turn(turn) for turn in turns[start : start + 2]]
    if not exchange or exchange[0][0] != USER:
        raise Reject("no_user_turn")
    if len(exchange) < 2 or exchange[1][0] != ASSISTANT:
        raise Reject("no_assistant_turn")
    notes["system_dropped"] += start > 0
    notes["later_turns_dropped"] += len(turns) > start + 2
    return exchange[0][1], "", exchange[1][1]


def _without_system(turns: list[tuple[str, str]], notes: Notes) -> list[tuple[str, str]]:
    kept = [turn for turn in turns if turn[0] != SYSTEM]
    notes["system_dropped"] += len(kept) < len(turns)
    return kept


def _turn(turn: Any) -> tuple[str, str]:
    role = _role(turn)
    content = turn.get("value", turn.get("content"))
    if not isinstance(content, list):
        return role, text(turn, "value", "content")
    if not all(isinstance(part, dict) and part.get("type") == "text" for part in content):
        raise Reject("wrong_type")
    return role, "".join(text(part, "text", "value") for part in content)


def _role(turn: Any) -> str:
    if not isinstance(turn, dict):
        raise Reject("wrong_type")
    role = ROLES.get(text(turn, "from", "role"))
    if role is None:
        raise Reject("wrong_role")
    return role


def _rank(reply: Row) -> float:
    rank = reply.get("rank")
    if rank is None:
        return float("inf")
    if not isinstance(rank, int | float):
        raise Reject("wrong_type")
    return rank


def values(row: Row, name: str) -> list[Any]:
    value = row.get(name)
    if value is None:
        raise Reject(f"missing_field:{name}")
    if not isinstance(value, list):
        raise Reject("wrong_type")
    return value


def text(row: Row, *names: str) -> str:
    """The first of these fields that is there and not null."""
    value = next((row[name] for name in names if row.get(name) is not None), None)
    if value is None:
        raise Reject(f"missing_field:{names[0]}")
    if not isinstance(value, str):
        raise Reject("wrong_type")
    return value


def optional(row: Row, *names: str) -> str:
    return text(row, *names) if any(row.get(name) is not None for name in names) else ""


FORMATS: dict[str, Callable[[Row, dict[str, Any], Notes], list[Triple]]] = {
    "alpaca": alpaca,
    "dolly": dolly,
    "sharegpt": sharegpt,
    "messages": messages,
    "oasst": oasst,
    "preference": preference,
    "instances": instances,
    "columns": columns,
}
