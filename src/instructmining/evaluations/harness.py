"""Tasks of lm-evaluation-harness (Gao et al., EleutherAI): OpenLLM as the papers use it, or any task by name.

IM section 4 (openllm-v1), CR section 4 (chasing-random); see `instructmining.evaluations.harness_presets`.
"""

import math
from typing import Any

import lm_eval
import numpy as np
import polars as pl
from lm_eval.evaluator import evaluate as run_tasks
from transformers import set_seed

from instructmining.data.share_used import check_share_used
from instructmining.evaluations.harness_model import RunModel
from instructmining.evaluations.harness_presets import PROMPTS
from instructmining.evaluations.harness_tasks import Part, load_parts, quiet
from instructmining.evaluations.job import EvaluationJob
from instructmining.jobs.errors import InputError
from instructmining.settings import ABSENT, MIN_SHARE_USED, NOTHING, Benchmark, anything, one_of, text, whole

SPEC = Benchmark(
    version=1,
    meaning="tasks of lm-evaluation-harness",
    value="mean over tasks of [lm-evaluation-harness](https://github.com/EleutherAI/lm-evaluation-harness)",
    needs="the tasks' data: on the hub, in its cache, or files of yours",
    direction="higher_is_better",
    settings={
        "preset": one_of(
            ["openllm-v1", "chasing-random"], ABSENT, "a published set of tasks, with its shots, metrics and average"
        ),
        "tasks": anything(
            {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"type": "string", "minLength": 1}},
            "names",
            ABSENT,
            "any of the harness's tasks; the value is the mean of theirs",
        ),
        "few_shot": whole(None, "examples before each question of `tasks`; none: the task's own number", minimum=0),
        "include_path": text(None, "task files of your own; their content counts", type_words="a folder"),
        "limit": whole(None, "only the first items of each task: for trying things out", minimum=1),
        "metric": text(
            None,
            "metric of `tasks`, as `acc_norm`, or with its filter `exact_match,strict-match`; "
            "none: each task's first that is a mean over items",
        ),
        "seed": whole(1234, "of the examples before a question; the harness's own", minimum=0),
        "prompt": one_of(
            ["none", "recipe", "chat"],
            "none",
            "plain text as published, the recipe's template around it, or the tokenizer's chat template",
        ),
        "max_length": whole(None, "tokens of a request; none: what the model can read", minimum=2),
        "batch_size": anything(
            {"type": ["integer", "string"], "minimum": 1, "pattern": "^auto$"},
            "whole number, `auto`",
            "auto",
            "requests a forward pass",
            again=NOTHING,
        ),
        "min_share_used": MIN_SHARE_USED.but(meaning="a smaller share of items that can be used is an error"),
    },
    exactly_one_of=["preset", "tasks"],
    order=2,
)


UNIT = "mean score of the tasks, 0 to 1"
_SCHEMA: dict[str, Any] = {
    **{"id": pl.String, "task": pl.String, "subtask": pl.String, "value": pl.Float64, "weight": pl.Float64},
    **{
        "text": pl.String,
        "prompt": pl.String,
        "target": pl.String,
        "response": pl.String,
        "choices": pl.List(pl.String),
    },
    **{"log_likelihoods": pl.List(pl.Float64), "hash": pl.String},
}


def evaluate(job: EvaluationJob, settings: dict[str, Any]) -> tuple[dict[str, Any], pl.DataFrame]:
    """Mean of the tasks' scores, higher is better; a group's score is averaged as the harness's own group says.

    Reads ``job.model`` and the tasks' data. Settings: those of `load_parts`; ``limit`` (the first items of each task;
    None: all), ``prompt`` (``none``: the harness's plain text, as in the papers; ``recipe``: each request whole as an
    instruction in ``template``; ``chat``: likewise in the tokenizer's chat template), ``batch_size`` (``auto`` or 0: on
    a GPU the largest up to 64 that fits the longest request; on a CPU 1), ``max_length`` (tokens; None: the model's),
    ``seed``, ``precision``, ``device``, ``min_share_used``.

    Returns:
        The figures (value, n_used, n_expected, unit, direction, stderr; each task's value, standard error, n, few-shot
        number, metric and version; the harness's version, the prompt, the requests that were cut) and the items: id
        (subtask:row), task, subtask (a group has several), value, weight (values so weighted have the mean `value`),
        text (question and right answer alone), prompt (all that stood before the answer), target, response (where text
        was generated), choices and their log_likelihoods in nats (where it was not), hash (of the task's row).

    Raises:
        InputError: a task cannot be run, or fewer than ``min_share_used`` of the items have a value.
    """
    if settings["prompt"] not in PROMPTS:
        raise InputError(f"harness: prompt {settings['prompt']}: expected one of {', '.join(PROMPTS)}")
    parts = load_parts(settings)
    with quiet():
        # a resource of a rule is a whole number: 0 stands for auto
        model = RunModel(job.model, {**settings, "batch_size": settings["batch_size"] or "auto"})
    tasks = {task.task_name: task for part in parts for task in part.tasks}
    _check_generation(tasks, model.max_length)
    set_seed(settings["seed"])
    # not simple_evaluate: that has one few-shot number for all tasks, and starts programs to describe the machine
    with quiet():
        results = run_tasks(
            model,
            {"tasks": tasks, "groups": {}},
            limit=settings["limit"],
            bootstrap_iters=0,
            apply_chat_template=settings["prompt"] != "none",
        )
    rows = [
        _row(task, part, sample)
        for part in parts
        for task in part.tasks
        for sample in results["samples"][task.task_name]
        if sample["filter"] == part.filter
    ]
    items = _weighted(pl.DataFrame(rows, schema=_SCHEMA), parts)
    used = items.drop_nulls("value")
    check_share_used("harness", used.height, items.height, settings["min_share_used"], "items have a value")
    scores = {part.name: _score(part, used, results) for part in parts}
    figures = {
        "value": _mean(used),
        "n_used": used.height,
        "n_expected": items.height,
        "unit": UNIT,
        "direction": SPEC.direction,
        "stderr": _stderr(used),
        "tasks": scores,
        "prompt": settings["prompt"],
        "truncated": model.truncated,
        "harness": lm_eval.__version__,
    }
    return figures, items


def _check_generation(tasks: dict[str, Any], max_length: int) -> None:
    for name, task in tasks.items():
        tokens = (task.get_config("generation_kwargs") or {}).get("max_gen_toks", 0)
        if tokens >= max_length:
            raise InputError(f"harness: task {name} generates {tokens} tokens, and max_length is {max_length}")


def _row(task: Any, part: Part, sample: dict[str, Any]) -> dict[str, Any]:
    generated = task.OUTPUT_TYPE == "generate_until"
    found = [reply[0] for reply in sample["resps"]]
    scores = None if generated else [float(score) for score, _ in found]
    if scores and any(math.isnan(score) for score in scores):
        raise InputError(f"harness: task {task.task_name}, row {sample['doc_id']}: the model's logits are not numbers")
    target, text = _texts(task, sample)
    return {
        "id": f"{task.task_name}:{sample['doc_id']}",
        "task": part.name,
        "subtask": task.task_name,
        "value": _number(sample.get(part.metric), task.task_name, part.metric),
        "weight": None,
        "text": text,
        "prompt": sample["arguments"][0][0],
        "target": target,
        "response": found[0] if generated else None,
        "choices": None if generated else [arguments[1] for arguments in sample["arguments"]],
        "log_likelihoods": scores,
        "hash": sample["doc_hash"],
    }


def _number(value: Any, task: str, metric: str) -> float | None:
    if value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise InputError(f"harness: task {task}: its {metric} is not one number an item: {value!r:.40}") from error
    return None if math.isnan(number) else number


def _texts(task: Any, sample: dict[str, Any]) -> tuple[str, str]:
    """The right answer, and the question with it: without examples and template, as a model may have seen them."""
    doc, config = sample["doc"], task.config
    question, answer = task.doc_to_text(doc), sample["target"]
    choices = task.doc_to_choice(doc) if config.doc_to_choice is not None else []
    if isinstance(question, int):  # the choices are questions, one of them right
        question = choices[question]
    elif (query := config.doc_to_decontamination_query) and query in doc:
        question = doc[query]
    if isinstance(answer, list):
        answer = answer[0] if answer else ""
    if isinstance(answer, int):
        answer = choices[answer] if choices else ""
    return str(answer), f"{question} {answer}".strip()


def _weighted(items: pl.DataFrame, parts: list[Part]) -> pl.DataFrame:
    """Every part weighs the same; within a part every item, or every task."""
    counts = dict(items.drop_nulls("value")["subtask"].value_counts().iter_rows())
    weights: dict[str, float] = {}
    for part in parts:
        names = [task.task_name for task in part.tasks]
        if missing := [name for name in names if name not in counts]:
            raise InputError(f"harness: no item of task {missing[0]} has a value of {part.metric}")
        total = sum(counts[name] for name in names)
        for name in names:
            share = 1 / total if part.by_items else 1 / (len(names) * counts[name])
            weights[name] = share / len(parts)
    return items.with_columns(weight=pl.col("subtask").replace_strict(weights, return_dtype=pl.Float64))


def _score(part: Part, used: pl.DataFrame, results: Any) -> dict[str, Any]:
    """A part's figures; a group has those of its tasks beside its own."""

    def figures(names: list[str]) -> dict[str, Any]:
        own = used.filter(pl.col("subtask").is_in(names))
        shots = sorted({results["n-shot"][name] for name in names})
        return {
            "value": _mean(own),
            "stderr": _stderr(own),
            "n": own.height,
            "few_shot": shots[0] if len(shots) == 1 else shots,
        }

    names = [task.task_name for task in part.tasks]
    metric = part.metric if part.filter == "none" else f"{part.metric},{part.filter}"
    found = {**figures(names), "metric": metric, "version": part.version}
    if names == [part.name]:
        return found
    subtasks = {task.task_name: {**figures([task.task_name]), "version": str(task.VERSION)} for task in part.tasks}
    return {**found, "average": "over items" if part.by_items else "over subtasks", "subtasks": subtasks}


def _mean(used: pl.DataFrame) -> float:
    return float(np.average(used["value"].to_numpy(), weights=used["weight"].to_numpy()))


def _stderr(used: pl.DataFrame) -> float | None:
    """Standard error of the weighted mean, the tasks being fixed and their items drawn; None if one has one item."""
    tasks = used.group_by("subtask", maintain_order=True).agg(
        n=pl.len(), share=pl.col("weight").sum(), variance=pl.col("value").var(ddof=1)
    )
    if tasks["variance"].null_count():
        return None
    shares, variances = (tasks["share"] / tasks["share"].sum()).to_numpy(), (tasks["variance"] / tasks["n"]).to_numpy()
    return float(np.sqrt((shares**2 * variances).sum()))
