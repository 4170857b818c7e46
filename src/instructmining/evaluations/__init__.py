"""Benchmarks, one module a kind, each with ``evaluate(...)``."""
