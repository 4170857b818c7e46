"""The sections of the config, in the order of the manual: which keys their entries have.

Entries of some sections are of a kind, which is a module with a `SPEC`: scorers, strategies, kinds of benchmarks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from instructmining.config.sections.data import DATASETS, MIXTURES, MODELS
from instructmining.config.sections.rules import FITTED, FROM_TABLE, INDICATOR_CHECK, PUBLISHED
from instructmining.config.sections.runs import EMBEDDINGS, RECIPES
from instructmining.config.sections.studies import ABLATION, BY_DATASET, COMPARISONS, COSTS, REPORT, SEARCHES, SIZE_SCAN
from instructmining.settings import Benchmark, Fields, Setting, entry_fields, text
from instructmining.settings.discovery import specs

__all__ = ["DATASETS", "SECTIONS", "Kind", "Section"]


@dataclass(frozen=True)
class Kind:
    """One kind of entry: its keys, and what the manual says of the key that names the kind."""

    fields: Fields
    meaning: str = ""


@dataclass(frozen=True)
class Section:
    """One section of the config.

    Attributes:
        description: what it holds.
        shape: ``named`` (name -> entry), ``lists`` (name -> list of names), ``list`` (entries with a key ``name``) or
            ``single`` (the section is one entry).
        fields: keys of an entry, where all entries have the same.
        kind_key: key whose value says which of ``kinds`` an entry is; None where the keys that are there say it: the
            first key of each kind is its mark.
        kinds: kind -> keys.
        reserved: names that an entry cannot have.
        may_be_absent: whether the section is left out of a config that does not name it, instead of being empty.
    """

    description: str
    shape: Literal["named", "lists", "list", "single"] = "named"
    fields: Fields | None = None
    kind_key: str | None = None
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    reserved: Sequence[str] = ()
    may_be_absent: bool = False


def _of_module(room: str) -> dict[str, Kind]:
    return {name: Kind(entry_fields(spec), spec.meaning) for name, spec in specs(room).items()}


def _benchmarks() -> dict[str, Kind]:
    return {name: Kind(_with_dataset(spec), spec.meaning) for name, spec in specs("evaluations").items()}


def _with_dataset(spec: Benchmark) -> Fields:
    """The keys of a dataset, which may stand in the entry itself, and then the kind's own."""
    fields = entry_fields(spec)
    if "dataset" not in spec.settings:
        return fields
    source: dict[str, Setting] = dict(DATASETS.settings)
    if spec.items_format:
        form = source["format"]
        source["format"] = form.but(node={"enum": [spec.items_format]}, default=spec.items_format)
    # package, hub and path are excluded by being one of several
    excluded = [key for key, setting in source.items() if key not in DATASETS.exactly_one_of and not setting.only_with]
    one_of = ("dataset", *DATASETS.exactly_one_of)
    keys = {**source, "kind": text("", ""), **spec.settings}
    return Fields(keys, one_of, spec.again, {"dataset": excluded})


_NO_FOLDERS = ("pools", "mixtures")
SECTIONS: dict[str, Section] = {
    "models": Section("Models that come in packages or folders, under a name", fields=MODELS),
    "datasets": Section("Sources of examples, under a name", fields=DATASETS, reserved=_NO_FOLDERS),
    "pools": Section("Datasets to select from, under a name", shape="lists", reserved=_NO_FOLDERS),
    "benchmarks": Section(
        "Held-out sets on which runs are evaluated", kind_key="kind", kinds=_benchmarks(), reserved=_NO_FOLDERS
    ),
    "mixtures": Section("Blocks of random subsets, to estimate quality rules", shape="list", fields=MIXTURES),
    "recipes": Section("Base models and how they are finetuned", fields=RECIPES),
    "indicators": Section("Entries; each computes one or more columns", kind_key="scorer", kinds=_of_module("scorers")),
    "embeddings": Section("Entries; each is a vector of every example, for strategies", fields=EMBEDDINGS),
    "indicator_check": Section(
        "Preference pairs on which every indicator is checked",
        shape="single",
        fields=INDICATOR_CHECK,
        may_be_absent=True,
    ),
    "quality_rules": Section(
        "Quality rules: fitted, published, or from a table of observations",
        kinds={"fitted": Kind(FITTED), "published": Kind(PUBLISHED), "from_table": Kind(FROM_TABLE)},
    ),
    "strategies": Section(
        "How a pool is ordered",
        kind_key="kind",
        kinds=_of_module("strategies"),
        reserved=("mixtures", "searches"),
    ),
    "searches": Section("BlendSearch over the size of a strategy's prefix", fields=SEARCHES),
    "comparisons": Section("Which runs to make and evaluate", fields=COMPARISONS),
    "studies": Section(
        "Tables of a paper; each becomes entries of the sections above",
        kind_key="kind",
        kinds={
            "ablation": Kind(ABLATION, "what is asked"),
            "datasets": Kind(BY_DATASET, "what is asked"),
            "size_scan": Kind(SIZE_SCAN, "what is asked"),
        },
    ),
    "costs": Section("Prices for the pages of costs", shape="single", fields=COSTS),
    "report": Section("What the report shows", shape="single", fields=REPORT),
}
