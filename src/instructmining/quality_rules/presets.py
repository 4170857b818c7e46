"""Published quality rules, and how many observations one needs: what the config must know before anything is fitted.

Plain data, without numpy or polars: every job of a cluster reads the config anew.
"""

from typing import Any

OBSERVATIONS_PER_COEFFICIENT = 3
# Equation 4 with the errors and figures of Table 9, and the rule of the first arXiv version, which gives none and does
# not say which length it means.
PRESETS: dict[str, dict[str, Any]] = {
    "instructmining-v1": {
        "coefficients": {"intercept": 1.0694, "reward": -0.1498, "output_length": 8.257e-5, "knn_6": -0.9350},
        "standard_errors": dict.fromkeys(("intercept", "reward", "output_length", "knn_6")),
        "r_squared": None,
        "f": None,
        "log_likelihood": None,
        "n": None,
        "note": "the paper says length: taken as output_length",
    },
    "instructmining-v2": {
        "coefficients": {
            "intercept": 0.0274,
            "reward": -0.0078,
            "understandability": 0.4421,
            "naturalness": -0.3212,
            "coherence": -0.1520,
        },
        "standard_errors": {
            "intercept": 0.061,
            "reward": 0.003,
            "understandability": 0.168,
            "naturalness": 0.107,
            "coherence": 0.129,
        },
        "r_squared": 0.522,
        "f": 33.84,
        "log_likelihood": 435.11,
        "n": 129,
        "note": None,
    },
}


def published_names(preset: str) -> list[str]:
    """The indicators of a preset under their published names."""
    return [name for name in PRESETS[preset]["coefficients"] if name != "intercept"]
