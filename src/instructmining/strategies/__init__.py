"""Strategies: how a pool is put in order, one module a kind, found by their `SPEC`.

A strategy has ``rank(examples, settings)``. ``examples`` has ``id``, ``dataset`` and the indicator columns that
the SPEC names, one row an example, in pool order; ``settings`` are the entry's keys, and what the SPEC asks for:
``vectors`` (a frame of ``id``, ``dataset``, ``vector``) and ``rankings`` (name of an order -> its ranking of the pool).
``rank`` returns ``id``, ``dataset``, ``score``, ``rank``, best first (see instructmining.selection.rankings.ranked).
"""

from typing import Any

from instructmining.settings import discovery


def load(kind: str) -> Any:
    """The module of a strategy, imported now. InputError if there is no such strategy."""
    return discovery.load("strategies", kind, "strategy")
