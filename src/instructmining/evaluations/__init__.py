"""Kinds of benchmarks: what is measured of a run, one module a kind, found by its `SPEC`; see `evaluations.job`."""

LOWER, HIGHER = "lower_is_better", "higher_is_better"
