"""Messages that ask a judge for a score, and reading the score from its answer."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from instructmining.data.examples import prompt_text
from instructmining.jobs.errors import InputError
from instructmining.judge.prompts import JUDGE_PROMPTS, Prompt, Scale

Message = dict[str, str]


_FIELD = re.compile(r"\{(instruction|input|output)\}")
THINKING = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_MARKUP = str.maketrans("", "", "*_#`")
# "4", "4.5/5", "Score: 4 out of 5." and nothing else: of "3 of the 5 facts are wrong" no number is a score
_SCORE = re.compile(
    r"(?:[a-z][a-z ]{0,39}[:=])?\s*(-?\d+(?:\.\d+)?)\s*(?:(?:/|out of)\s*(\d+(?:\.\d+)?))?\s*(?:points?)?\.?",
    re.IGNORECASE,
)


def load_prompt(name: str, scale: list[float] | None) -> Prompt:
    """A prompt by name, or from a UTF-8 text file of one's own, whose scale is given.

    In a file, what stands before a line ``---`` is the system message; without such a line all is the user's.
    InputError if it cannot be read, or says neither {instruction} nor {output}.
    """
    if name in JUDGE_PROMPTS:
        return JUDGE_PROMPTS[name]
    found = read_prompt_file(name, JUDGE_PROMPTS)
    if not {"instruction", "output"} & {field for _, text in found for field in _FIELD.findall(text)}:
        raise InputError(f"{name}: expected {{instruction}} or {{output}} in the prompt")
    if scale is None:
        raise InputError(f"{name}: a prompt of your own needs `scale`, the lowest and the highest score")
    return Prompt("file", found, (scale[0], scale[1]))


def read_prompt_file(name: str, known: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The messages (role, text) of a prompt file; InputError, with the names there are, if it cannot be read."""
    try:
        text = Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        said = ", ".join(known)
        raise InputError(f"judge: prompt {name}: expected {said}, or a UTF-8 text file ({error})") from None
    system, line, user = text.partition("\n---\n")
    parts = (("system", system), ("user", user)) if line else (("user", text),)
    return tuple((role, part.strip()) for role, part in parts)


def messages(prompt: Prompt, example: Mapping[str, str]) -> list[Message]:
    """The messages about one example (``instruction``, ``input``, ``output``).

    In a prompt without {input}, {instruction} is instruction and input together.
    """
    fields = {key: example[key] for key in ("instruction", "input", "output")}
    if not any("{input}" in text for _, text in prompt.messages):
        fields["instruction"] = prompt_text(example["instruction"], example["input"])
    # one pass, not str.format: an instruction may hold braces
    return [
        {"role": role, "content": _FIELD.sub(lambda field: fields[field[1]], text)} for role, text in prompt.messages
    ]


def read_score(answer: str, scale: Scale) -> tuple[float | None, str | None]:
    """The score on the first line that is not empty, or None and the reason.

    Nothing is guessed: the line is the score alone, perhaps with a word before it (``Score: 4``) or the highest score
    behind it (``4/5``). A ``<think>`` block before it is passed over.
    """
    lines = (line.translate(_MARKUP).strip() for line in THINKING.sub("", answer).splitlines())
    first = next(filter(None, lines), "")
    if not first:
        return None, "empty answer"
    match = _SCORE.fullmatch(first)
    if not match or (match[2] and float(match[2]) != scale[1]):
        return None, "no score on the first line"
    value = float(match[1]) + 0.0
    if not scale[0] <= value <= scale[1]:
        return None, f"score outside {scale[0]:g} to {scale[1]:g}"
    return value, None
