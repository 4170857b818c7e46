"""Which job makes a file, from which other files, and what the job holds: costs follow the functions that rules follow.

Costs could read which job made what from the jobs' own records instead. They do not, because a table of costs must
also count the jobs that have no record: those of older studies, those whose measurement is lost (``missing``), and
those of a study that is planned; and no record says how many GPUs and cores a job asked for. So `MAKERS` names, for
each rule that belongs to a selection, the rule's own functions of this package for inputs, GPUs and threads.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from types import SimpleNamespace
from typing import Any, NamedTuple

from instructmining.dag import embeddings, indicators, quality_rules, rankings, runs, searches
from instructmining.dag.names import Config
from instructmining.jobs import paths

Function = Callable[[Config, Any], Any]

# as in rules/common.smk, as far as patterns are distinguished by them; other wildcards hold no slash
_WILDCARDS = {"subset": ".+", "reference_set": ".+", "shard": r"\d+-of-\d+", "i": r"\d+"}


def _no_files(config: Config, wildcards: Any) -> list[str]:
    return []


def _none(config: Config, wildcards: Any) -> int:
    return 0


def _one(config: Config, wildcards: Any) -> int:
    return 1


class Maker(NamedTuple):
    """A rule that belongs to a selection.

    ``job``: the pattern of the names of its jobs, {rule}/{wildcards}. ``output``: the pattern of the file that other
    jobs read. ``inputs``, ``gpus`` and ``threads``: functions of the config and the wildcards; a job of several
    machines holds GPUs and cores on all of them. ``entries``: wildcard constraint of the wildcard ``entry``.
    """

    job: str
    output: str
    inputs: Function = _no_files
    gpus: Function = _none
    threads: Function = _one
    entries: Callable[[Config], str] | None = None

    @property
    def rule(self) -> str:
        """The name of the rule."""
        return self.job.partition("/")[0]


def _rank_inputs(config: Config, wildcards: Any) -> Mapping[str, Any]:
    """Without the rankings that a baseline is held apart from: the baseline does not pay for its competitors."""
    return {name: files for name, files in rankings.rank_inputs(config, wildcards).items() if name != "against"}


def _trained_on(config: Config, wildcards: Any) -> list[str]:
    return [paths.SUBSET.format(subset=wildcards.subset)]


def _evaluated(config: Config, wildcards: Any) -> list[str]:
    return [paths.WEIGHTS.format(recipe=wildcards.recipe, subset=wildcards.subset)]


def _trial_inputs(config: Config, wildcards: Any) -> list[str]:
    proposal = paths.PROPOSAL.format(search=wildcards.search, t=wildcards.t)
    return [searches.search_ranking(config, wildcards), proposal]


# Of two patterns that match, the first is meant. Reading data and preparing models belong to no selection. A run that
# was trained together with others has a cost file of its own, named as if it had been trained alone.
MAKERS = (
    Maker("draw_mixture/{block}-{i}", paths.MIXTURE),
    Maker("select_trial/{search}/{t}", paths.TRIAL_SUBSET, _trial_inputs),
    Maker("select_subset/{ranking}/{pool}/{size}", paths.SELECTED, rankings.select_inputs),
    Maker("rank_pool/{ranking}/{pool}", paths.RANKING, _rank_inputs),
    Maker("propose_size/{search}/{t}", paths.PROPOSAL, searches.propose_inputs),
    Maker("choose_size/{search}", paths.SEARCH, searches.choose_inputs),
    Maker("fit_quality_rule/{quality_rule}", paths.QUALITY_RULE, quality_rules.fit_inputs),
    Maker("finetune/{recipe}/{subset}", paths.WEIGHTS, _trained_on, runs.gpus_held, runs.threads_held),
    Maker(
        "evaluate_loss/{recipe}/{subset}/{benchmark}", paths.EVALUATION, _evaluated, runs.one_gpu, runs.recipe_threads
    ),
    Maker("embed/{dataset}/{entry}/{shard}", paths.EMBEDDINGS, embeddings.embed_inputs, embeddings.gpus),
    Maker(
        "score_neighbours/{reference_set}/{entry}",
        paths.NEIGHBOUR_INDICATOR,
        indicators.neighbour_inputs,
        threads=indicators.neighbour_threads,
        entries=indicators.by_neighbours,
    ),
    Maker(
        "score_under_run/{pool}/{entry}/{dataset}-{shard}",
        paths.RUN_INDICATOR,
        indicators.score_under_run_inputs,
        embeddings.gpus,
        entries=indicators.under_runs,
    ),
    Maker("score/{dataset}/{entry}/{shard}", paths.INDICATOR_SHARD, indicators.score_inputs, embeddings.gpus),
    Maker(
        "fit_preference_head/{entry}",
        paths.PREFERENCE_HEAD,
        indicators.preference_head_inputs,
        embeddings.one_gpu,
    ),
)


class Upstream:
    """The jobs behind the files of a study, found through the inputs of jobs; what was found once is kept."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._makers: dict[str, tuple[Maker, SimpleNamespace] | None] = {}
        self._inputs: dict[str, list[str]] = {}

    def inputs(self, file: str) -> list[str]:
        """The files that the job of a file reads; none for a file that no job of `MAKERS` makes."""
        if file not in self._inputs:
            made = self._maker(file)
            self._inputs[file] = _flat(made[0].inputs(self.config, made[1])) if made else []
        return self._inputs[file]

    def jobs(self, files: Iterable[str], stop: Collection[str] = ()) -> tuple[list[str], list[str]]:
        """Names of the jobs that these files need, each once, and files at which the search for jobs stopped.

        Args:
            files: Files of the study; one that no job of `MAKERS` makes needs none.
            stop: Rules whose files are returned instead of the jobs behind them.
        """
        found, stopped, waiting = dict[str, None](), dict[str, None](), list(files)[::-1]
        seen = set(waiting)
        while waiting:
            file = waiting.pop()
            made = self._maker(file)
            if made is None:
                continue
            maker, wildcards = made
            if maker.rule in stop:
                stopped[file] = None
                continue
            found[maker.job.format(**vars(wildcards))] = None
            behind = [path for path in self.inputs(file) if path not in seen]
            seen.update(behind)
            waiting += behind[::-1]
        return list(found), list(stopped)

    def _maker(self, file: str) -> tuple[Maker, SimpleNamespace] | None:
        if file not in self._makers:
            self._makers[file] = next(filter(None, (self._made_by(maker, file) for maker in MAKERS)), None)
        return self._makers[file]

    def _made_by(self, maker: Maker, file: str) -> tuple[Maker, SimpleNamespace] | None:
        match = _regex(maker.output).fullmatch(file)
        if match is None:
            return None
        wildcards = match.groupdict()
        if maker.entries and not re.fullmatch(maker.entries(self.config), wildcards["entry"]):
            return None
        return maker, SimpleNamespace(**wildcards)


def held(config: Config, job: str) -> tuple[int, int]:
    """GPUs and CPU cores that a job holds while it runs, as its rule asks for them. LookupError for an unknown job."""
    for maker in MAKERS:
        if match := _regex(maker.job).fullmatch(job):
            wildcards = SimpleNamespace(**match.groupdict())
            return maker.gpus(config, wildcards), maker.threads(config, wildcards)
    raise LookupError(f"{job}: no rule of a selection has such a job")


def _flat(inputs: Any) -> list[str]:
    if isinstance(inputs, Mapping):
        return [path for files in inputs.values() for path in _flat(files)]
    return [inputs] if isinstance(inputs, str) else list(inputs)


@cache
def _regex(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", pattern)
    texts = [
        f"(?P<{part}>{_WILDCARDS.get(part, '[^/]+')})" if i % 2 else re.escape(part) for i, part in enumerate(parts)
    ]
    return re.compile("".join(texts))
