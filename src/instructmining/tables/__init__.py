"""The tables of a study: comparisons, benchmarks, agreement, contamination, size scans, ablations."""
