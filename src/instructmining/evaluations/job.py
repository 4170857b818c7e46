"""One evaluation, whatever its kind: what it reads, and the figures and items that it gives.

A kind of benchmark is a module of this package with ``evaluate(job, settings) -> (figures, items)``. ``job`` is an
`EvaluationJob`; ``settings`` are those of the run (template, precision, device, …) and of the benchmark, with the size
of a batch. ``figures`` are ready for JSON: ``value``, ``n_used``, ``n_expected``, ``unit``, ``direction`` and what else
the kind measures. ``items`` have ``id`` and ``value``, and ``weight``, with which the items' mean is the value; of a
loss ``nll`` and ``tokens``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from instructmining.settings import discovery, entry_fields
from instructmining.settings.params import completed

if TYPE_CHECKING:
    import polars as pl

# settings that say where something lies on this machine
_PLACES = ("nltk_data", "model_path")


@dataclass(frozen=True)
class EvaluationJob:
    """What one evaluation reads. A kind of benchmark takes what it needs; the rest is empty.

    Attributes:
        recipe, subset, benchmark: names of the run and of the benchmark.
        model: folder of the run's model.
        examples: file of the benchmark's items, with their details where the kind has an ``items_format``.
        answers: file of the run's answers to the items, as the rule ``generate`` writes it.
        others: such files of the runs that this run is compared with.
        entry: the benchmark in the config. How a judge is called stands there alone, since no result depends on it.
        work: folder of what is finished before the whole evaluation is.
    """

    recipe: str = ""
    subset: str = ""
    benchmark: str = ""
    model: str = ""
    examples: str = ""
    answers: str = ""
    others: Sequence[str] = ()
    entry: Mapping[str, Any] = field(default_factory=dict)
    work: str = ""

    @property
    def names(self) -> dict[str, str]:
        """The names of the run and of the benchmark, as wildcards of a path."""
        return {"recipe": self.recipe, "subset": self.subset, "benchmark": self.benchmark}


def evaluate(
    job: EvaluationJob, settings: Mapping[str, Any], speed: Mapping[str, Any], version: int
) -> tuple[dict[str, Any], "pl.DataFrame"]:
    """Figures and items of one evaluation, by the kind of its benchmark.

    Args:
        job: what is read; ``job.entry["kind"]`` names the kind.
        settings: what the figures depend on.
        speed: settings on which no figure depends, as ``batch_tokens``.
        version: of the kind.

    Returns:
        The figures, with ``provenance`` at their end, and the items.

    Raises:
        InputError: for an unknown kind, and as the kind does.
    """
    kind = job.entry["kind"]
    module = discovery.load("evaluations", kind, "kind of benchmark")
    # provenance says what the params say; the kind reads every key
    every = completed(entry_fields(module.SPEC), settings)
    figures, items = module.evaluate(job, {**every, **speed})
    provenance = {"evaluation": kind, "version": version, **_without_places(settings), **job.names}
    return {**figures, "provenance": provenance}, items


def _without_places(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _without_places(value) if isinstance(value, dict) else value
        for key, value in settings.items()
        if key not in _PLACES
    }
