"""Observations to fit quality rules on: made up with known coefficients, and where the published ones lie."""

from pathlib import Path

import numpy as np
import polars as pl

PUBLISHED = Path(__file__).parents[2] / "../shared/data/instructmining_observations.csv"
NAMES = ["reward", "output_length", "coherence"]


def synthetic(n: int = 60, noise: float = 0.05, seed: int = 0) -> pl.DataFrame:
    """log(loss) = 0.3 - 0.2 reward + 0.001 output_length + noise, whose size grows with reward; coherence is idle."""
    generator = np.random.default_rng(seed)
    reward, length = generator.normal(1, 1, n), generator.normal(300, 80, n)
    error = generator.normal(0, noise, n) * (1 + np.abs(reward))
    return pl.DataFrame(
        {
            "mixture": [f"base-{i:03d}" for i in range(n)],
            "reward": reward,
            "output_length": length,
            "coherence": 0.9 + 0.02 * reward + generator.normal(0, 0.01, n),
            "loss": np.exp(0.3 - 0.2 * reward + 0.001 * length + error),
        }
    )
