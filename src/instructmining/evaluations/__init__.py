"""Kinds of benchmarks: what is measured of a run, one module a kind, found by their `SPEC`."""

from instructmining.settings.discovery import specs

LOWER, HIGHER = "lower_is_better", "higher_is_better"
DIRECTIONS: dict[str, str] = {name: spec.direction for name, spec in specs("evaluations").items()}
