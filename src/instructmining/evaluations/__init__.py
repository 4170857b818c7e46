"""Benchmarks, one module a kind, each with ``evaluate(...)``. Which way each kind is better stands here alone."""

LOWER, HIGHER = "lower_is_better", "higher_is_better"
DIRECTIONS = {"harness": HIGHER, "ifeval": HIGHER, "llmbar": HIGHER, "loss": LOWER, "pairwise": HIGHER}
