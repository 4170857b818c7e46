"""The preference head of an indicator entry, from the files of its pairs."""

from pathlib import Path
from typing import Any

from instructmining import scorers
from instructmining.data.examples import read_examples
from instructmining.models.preference_head import fit_from_examples


def preference_head(chosen: str | Path, rejected: str | Path, settings: dict[str, Any], version: int) -> dict[str, Any]:
    """The head, fitted on preference pairs, as JSON with its provenance.

    Args:
        chosen, rejected: examples files of the two sides.
        settings: the indicator entry's, with ``batch_tokens``.
        version: of preference heads.

    Raises:
        InputError: the pairs are too few, or do not belong together.
    """
    head = fit_from_examples(read_examples(chosen), read_examples(rejected), settings)
    return {**head, "provenance": {**scorers.provenance({**settings, "outputs": {}}, {}), "version": version}}
