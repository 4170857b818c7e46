"""What a module says of itself to the rest of the project: ``SPEC = Scorer(…)``, at its top.

A spec is read without importing its module (`instructmining.settings.discovery`), since the module itself may need
torch. The registry, the schema, the manual and the table of versions follow from the specs. To add a scorer, strategy,
kind of benchmark, launcher or page, add one file with a spec; see CONTRIBUTING.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from instructmining.settings.setting import Fields, Setting


class Output(NamedTuple):
    """One number for one example."""

    unit: str
    direction: str
    description: str


@dataclass(frozen=True)
class Scorer:
    """A module of ``scorers/`` with ``score(parts, settings)``.

    Attributes:
        version: raised when the values change; entries of this scorer are then computed again.
        outputs: output -> its unit, direction and description. A scorer of one output needs no key ``outputs``.
        settings: keys of an entry, besides ``scorer``.
        exactly_one_of: keys of which exactly one must be given.
        compares_examples: its value for one example depends on others: it reads embeddings, and makes one file for all
            that are compared.
        order: its place in the manual and in messages.
    """

    version: int
    outputs: Mapping[str, Output]
    settings: Mapping[str, Setting] = field(default_factory=dict)
    exactly_one_of: Sequence[str] = ()
    compares_examples: bool = False
    order: int = 100
    meaning: str = "this scorer"
    again: str = "the entry"


@dataclass(frozen=True)
class Strategy:
    """A module of ``strategies/`` with ``rank(examples, settings)``.

    Attributes:
        version: raised when the order changes; rankings by this strategy are then made again.
        meaning: how it orders a pool, best first.
        settings: keys of an entry, besides ``kind``.
        columns: the keys that name an indicator column which ``rank`` reads.
        embeddings: the key that names an entry of embeddings whose vectors ``rank`` reads (``settings["vectors"]``).
        rankings: the key that lists other strategies whose rankings ``rank`` reads (``settings["rankings"]``).
        at_most: keys whose product is the largest number of examples it ranks; none where it ranks the whole pool.
        is_baseline: it selects nothing by quality: comparisons give no verdict on it.
        order: its place in the manual and in messages.
    """

    version: int
    meaning: str
    settings: Mapping[str, Setting] = field(default_factory=dict)
    columns: Sequence[str] = ()
    embeddings: str | None = None
    rankings: str | None = None
    at_most: Sequence[str] = ()
    is_baseline: bool = False
    order: int = 100
    again: str = "its rankings"


@dataclass(frozen=True)
class Benchmark:
    """A module of ``evaluations/`` with ``evaluate``.

    Attributes:
        version: raised when the figures change; evaluations of this kind are then made again.
        meaning: what is measured.
        value, needs: what ``value`` is, and what the kind needs: a row of the manual's overview.
        direction: ``lower_is_better`` or ``higher_is_better``.
        settings: keys of an entry, besides ``kind``; with a key ``dataset``, its items are a dataset of the config, or
            the keys of a dataset stand in the entry itself.
        items_format: the one format that its dataset must have; None for a dataset of examples.
        order: its place in the manual and in messages.
    """

    version: int
    meaning: str
    value: str
    needs: str
    direction: str
    settings: Mapping[str, Setting] = field(default_factory=dict)
    exactly_one_of: Sequence[str] = ()
    items_format: str | None = None
    order: int = 100
    again: str = "its evaluations"


@dataclass(frozen=True)
class Launcher:
    """A module of ``training/launchers/``: how the processes of a finetuning are started.

    Attributes:
        settings: keys that a recipe has with this launcher alone.
        several_processes: it starts several, so that ``gpus`` and ``nodes`` may be more than 1.
        keeps_float32_copy: it trains a float32 copy of its own, whatever precision the model's weights have.
        order: its place in the manual and in messages.
    """

    settings: Mapping[str, Setting] = field(default_factory=dict)
    several_processes: bool = True
    keeps_float32_copy: bool = False
    order: int = 100
    again: str = "its runs"


@dataclass(frozen=True)
class Page:
    """A module of ``report/pages/``: a page of the report with its tables, or tables alone.

    The module has ``tables(job)``, where the spec names tables, and ``draw(job, tables)``, where it has a ``path``; see
    `instructmining.report.making`. Rule ``report_{module}`` makes the page, with its log under that name. Functions are
    named from the package on, as in ``dag.comparisons.baselines``; each is given the config and the job's wildcards.

    Attributes:
        version: raised when the page is drawn differently; it is then drawn again.
        category: the report's menu entry, with its number: ``2 Comparison``.
        caption: what the report says of the page; ``{comparison}`` and other wildcards are filled in.
        for_each: the function of the config that lists the wildcards of its pages: one mapping for each page.
        path: the page below results/figures, with wildcards: ``overlaps/{comparison}.html``; None for tables alone.
        inputs: name -> the function that lists the files, or a path with wildcards.
        params: name -> the function that gives the value. The page is drawn again when the value changes.
        tables: name -> file below results/tables, with wildcards.
        shown_tables: name -> what the report's menu calls the table, for those that the report lists.
        table_caption: what the report says of the shown tables, where it is not the page's caption.
        labels, subcategory: as Snakemake's ``report()`` takes them.
        versions: names in ``instructmining.settings.versions`` of what else the page depends on.
        order: its place in the report.
    """

    version: int
    category: str
    caption: str
    for_each: str
    path: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, str] = field(default_factory=dict)
    shown_tables: Mapping[str, str] = field(default_factory=dict)
    table_caption: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    subcategory: str | None = None
    versions: Sequence[str] = ()
    order: int = 100


def entry_fields(spec: Scorer | Strategy | Benchmark | Launcher) -> Fields:
    """The keys of an entry of this kind, without the key that names the kind."""
    return Fields(spec.settings, getattr(spec, "exactly_one_of", ()), spec.again)
