"""A search's proposals and its result, from the files of its trials.

Apart from `instructmining.selection.search`, which the rules read in every job and which needs no polars.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from instructmining.jobs.files import read_json
from instructmining.selection.search import choose, propose


def proposal(
    search: str,
    trial: int,
    proposals: Sequence[str | Path],
    evaluations: Sequence[str | Path],
    settings: Mapping[str, Any],
) -> dict[str, Any]:
    """The proposal of a trial (``propose``) from the files of earlier proposals and of the evaluations known by then.

    ``settings``: the search's ``low``, ``high``, ``parallel`` and ``seed``. Raises InputError as ``propose`` does.
    """
    earlier = [read_json(path) for path in proposals]
    losses = [read_json(path)["value"] for path in evaluations]
    return propose(trial, earlier, losses, search=search, **settings)


def search_result(
    search: str,
    proposals: Sequence[str | Path],
    evaluations: Sequence[str | Path],
    settings: Mapping[str, Any],
    version: int,
) -> dict[str, Any]:
    """The best of a search's trials (``choose``), with its provenance.

    ``proposals``, ``evaluations``: files of all trials, in the same order. ``settings``: the search's config.
    Raises InputError as ``choose`` does.
    """
    proposed = [read_json(path) for path in proposals]
    losses = [read_json(path)["value"] for path in evaluations]
    trials = [{**one, "value": loss} for one, loss in zip(proposed, losses, strict=True)]
    provenance = {**settings, "versions": proposed[0]["versions"], "version": version}
    return {**choose(trials, search), "provenance": provenance}
