"""The registry of strategies: kind -> module with ``rank(examples, settings)``.

``examples`` has ``id``, ``dataset`` and the indicator columns that the strategy needs, one row an example, in pool
order; ``settings`` are the strategy's config values (and what its docstring names). ``rank`` returns ``id``,
``dataset``, ``score``, ``rank``, best first (see instructmining.selection.rankings.ranked).
"""

from types import ModuleType

from instructmining.strategies import (
    alpagasus,
    cherry,
    cherry_seed,
    deita,
    full,
    longest,
    quality_rule,
    random,
    strict_random,
)

STRATEGIES: dict[str, ModuleType] = {
    "quality_rule": quality_rule,
    "random": random,
    "strict_random": strict_random,
    "longest": longest,
    "cherry": cherry,
    "cherry_seed": cherry_seed,
    "deita": deita,
    "alpagasus": alpagasus,
    "full": full,
}
