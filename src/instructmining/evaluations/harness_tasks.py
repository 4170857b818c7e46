"""Tasks of lm-evaluation-harness by preset, by name, or from a folder of one's own: loaded, checked, ready to run.

All that can be wrong with a task is found here, before a model is loaded or an item is read.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

import lm_eval.tasks
import nltk
from datasets.packaged_modules import _PACKAGED_DATASETS_MODULES
from lm_eval.api.metrics import mean
from lm_eval.api.task import ConfigurableTask
from lm_eval.tasks import TaskManager
from lm_eval.tasks._yaml_loader import load_yaml

from instructmining.evaluations.harness_presets import PRESETS, PresetTask
from instructmining.jobs.errors import InputError

_HARNESS = Path(lm_eval.tasks.__file__).parent
_SHOWN = 5


class Part(NamedTuple):
    """One score of a benchmark: a task, or a group of tasks, with the metric that counts.

    ``by_items``: a group's score is the mean over all its items, else over its tasks. ``version``: the group's, or the
    task's own.
    """

    name: str
    tasks: list[Any]
    metric: str
    filter: str
    by_items: bool
    version: str


def load_parts(settings: dict[str, Any]) -> list[Part]:
    """The parts of ``preset`` or of ``tasks`` (with ``few_shot``, ``metric`` and ``include_path``), in order.

    Of ``preset`` and ``tasks`` the one that is not meant is None or absent, as ``metric`` may be.
    ``few_shot`` None is each task's own number; a task that says 0 keeps it, as the harness has it. ``metric`` is one
    of a task's metrics, as ``acc`` or, with the filter, ``exact_match,strict-match``; None is its first that is a mean
    over items. ``prompt``: other than ``none``, every task must be able to wrap its requests. ``seed`` draws the
    few-shot examples.
    Errors: InputError, one line, for an unknown, broken or unusable task, or one whose data is out of reach.
    """
    preset, names, metric = settings.get("preset"), settings.get("tasks") or [], settings.get("metric")
    if bool(preset) == bool(names):
        raise InputError("harness: expected either `preset` or `tasks`, and one of them")
    if preset:
        if mixed := [key for key in ("few_shot", "metric", "include_path") if settings.get(key) is not None]:
            raise InputError(f"harness: {', '.join(mixed)} go with `tasks`; the preset {preset} brings its own")
        if preset not in PRESETS:
            raise InputError(f"harness: no preset {preset}; there are {', '.join(PRESETS)}")
        wanted = PRESETS[preset]
        # the index of all of the harness's 14,000 tasks takes longer than these to run on a GPU
        folders = sorted({task.folder for task in wanted})
        manager = TaskManager(include_path=[_HARNESS / folder for folder in folders], include_defaults=False)
    else:
        wanted = tuple(PresetTask(name, settings["few_shot"], metric, "") for name in names)
        manager = _manager(names, settings["include_path"])
    parts = [_part(manager, task, settings) for task in wanted]
    found = [task.task_name for part in parts for task in part.tasks]
    if twice := sorted({name for name in found if found.count(name) > 1}):
        raise InputError(f"harness: {', '.join(twice[:_SHOWN])} would be counted twice: name each task once")
    return parts


@contextmanager
def quiet() -> Iterator[None]:
    """Without the harness's own log: warnings of every prompt that it cuts, and advice for its command line."""
    log = logging.getLogger("lm_eval")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)


def _manager(names: list[str], include_path: str | None) -> TaskManager:
    own = _own_tasks(include_path) if include_path else None
    if own and all(_complete(own, name) for name in names):
        return own
    with quiet():
        manager = TaskManager(include_path=include_path)
    for name in names:
        if name not in manager.task_index:
            near = get_close_matches(name, manager.all_tasks, n=_SHOWN)
            place = f" and {include_path}" if include_path else ""
            raise InputError(
                f"harness: no task {name} in lm-evaluation-harness {lm_eval.__version__}{place}"
                + (f"; near it: {', '.join(near)}" if near else "")
            )
    return manager


def _complete(own: TaskManager, name: str) -> bool:
    """Whether a task, or a group with all its tasks, is in the user's folder: the harness's index takes 10 seconds."""
    if name in own.all_groups:
        members = own.task_index[name].cfg.get("task", ())
        return all(isinstance(member, str) and _complete(own, member) for member in members)
    return name in own.all_subtasks


def _own_tasks(include_path: str) -> TaskManager:
    """The index of the user's folder; the harness itself passes over files that it cannot read."""
    files = sorted(Path(include_path).rglob("*.yaml"))
    if not files:
        raise InputError(f"{include_path}: expected a folder with the .yaml files of tasks (include_path)")
    for file in files:
        try:
            load_yaml(file, resolve_func=False)
        except Exception as error:  # whatever YAML, or an include of it, can do
            raise InputError(f"{file}: expected a task of lm-evaluation-harness: {_line(error)}") from error
    return TaskManager(include_path=include_path, include_defaults=False)


def _part(manager: TaskManager, wanted: PresetTask, settings: dict[str, Any]) -> Part:
    loaded = _load(manager, wanted.task, settings)
    tasks, group = list(loaded["tasks"].values()), loaded["groups"].get(wanted.task)
    averages = {one.metric: one.weight_by_size for one in group.aggregate_metric_list or ()} if group else {}
    if (group and not averages) or (not group and len(tasks) > 1):
        some = ", ".join(task.task_name for task in tasks[:_SHOWN])
        raise InputError(f"harness: {wanted.task} is a list of tasks without an average: name its tasks ({some}, …)")
    asked = wanted.metric or next(iter(averages), None)
    metric, filter_ = _metric(tasks[0], asked)
    for task in tasks:
        _metric(task, f"{metric},{filter_}")
        _check(task, settings["prompt"])
        _set_few_shot(task, wanted.few_shot, settings["seed"])
    if group and metric not in averages:
        raise InputError(f"harness: group {wanted.task} has no average of {metric}; it has {', '.join(averages)}")
    version = group.version if group else tasks[0].VERSION
    by_items = averages.get(metric, True) and not wanted.by_subtask
    return Part(wanted.task, tasks, metric, filter_, by_items, str(version))


def _load(manager: TaskManager, name: str, settings: dict[str, Any]) -> Any:
    try:
        with quiet(), _no_downloads(name):
            return manager.load([name])
    except InputError:
        raise
    except Exception as error:  # a task is YAML with Python in it: it may fail in any way
        source = (manager.task_index[name].cfg or {}).get("dataset_path", "")
        local = source in _PACKAGED_DATASETS_MODULES or Path(source or "?").exists()
        if local or not (isinstance(error, OSError) or "Couldn't find cache" in str(error)):
            raise InputError(f"harness: task {name} cannot be loaded: {_line(error)}") from error
        folder = f"include_path='{settings['include_path']}'" if settings["include_path"] else ""
        fill = f"from lm_eval.tasks import TaskManager; TaskManager({folder}).load(['{name}'])"
        raise InputError(
            f"harness: the data of task {name} is not on this machine and cannot be fetched ({_line(error)}). On a "
            f'machine with network and the same HF_HOME, run once: python -c "{fill}"'
        ) from error


@contextmanager
def _no_downloads(name: str) -> Iterator[None]:
    """Some tasks fetch NLTK data into the home folder as they load, and fail after hours where there is no network."""

    def refuse(data: str, *_: Any, **__: Any) -> None:
        raise InputError(
            f"harness: task {name} needs NLTK's {data}, which is not installed: python -m nltk.downloader {data}"
        )

    download, nltk.download = nltk.download, refuse
    try:
        yield
    finally:
        nltk.download = download


def _metric(task: Any, asked: str | None) -> tuple[str, str]:
    """Metric and filter of a task; InputError unless it is a mean over items and higher is better."""
    higher, averages = task.higher_is_better(), task.aggregation()
    means = [name for name in averages if averages[name] is mean and higher.get(name)]
    filters = [one["name"] for one in task.config.filter_list or ({"name": "none"},)]
    metric, _, filter_ = (asked or next(iter(means), "")).partition(",")
    if metric in means and (not filter_ or filter_ in filters):
        return metric, filter_ or filters[0]
    has = ", ".join(f"{one},{other}" if filters != ["none"] else one for one in means for other in filters)
    no_mean = ", ".join(sorted(set(averages) - set(means)))
    raise InputError(
        f"harness: task {task.task_name} has no metric {asked or ''} that is a mean over its items, higher the better; "
        f"such metrics: {has or 'none'}; others: {no_mean or 'none'}"
    )


def _check(task: Any, prompt: str) -> None:
    if getattr(task, "UNSAFE_CODE", False):
        raise InputError(f"harness: task {task.task_name} runs code that a model wrote: not supported")
    if getattr(task, "MULTIMODAL", False):
        raise InputError(f"harness: task {task.task_name} needs images or sound: not supported")
    if prompt != "none" and not isinstance(task, ConfigurableTask):
        raise InputError(f"harness: task {task.task_name} writes its own prompts: expected `prompt: none`")


def _set_few_shot(task: Any, few_shot: int | None, seed: int) -> None:
    own = task.get_config("num_fewshot")
    shots = own or 0 if few_shot is None or own == 0 else few_shot
    task.set_config("num_fewshot", shots)
    task.set_fewshot_seed(seed)
    if not shots or not isinstance(task, ConfigurableTask):
        return
    config, own_split = task.config, task.fewshot_cfg.split or task.fewshot_cfg.samples
    if not (own_split or config.training_split or config.validation_split):
        raise InputError(
            f"harness: task {task.task_name} has no rows for few-shot examples but its own items, which could be shown "
            "their own answers: give it a fewshot_split"
        )
    # the harness draws one more where the item itself may be among them
    needed = shots + (task.fewshot_cfg.split == task.config.test_split)
    if len(task.sampler.df) < needed:
        raise InputError(
            f"harness: task {task.task_name}: {shots} few-shot examples need {needed} rows, it has "
            f"{len(task.sampler.df)}"
        )


def _line(error: BaseException) -> str:
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
