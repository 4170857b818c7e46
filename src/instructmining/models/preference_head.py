"""The preference head: a reward model for those who have none, from preference pairs of their own.

Bradley-Terry (1952) logistic regression, ridge-penalised, on the mean hidden state of a middle layer over the response:
P(chosen beats rejected) = sigmoid(w . (h_chosen - h_rejected)). Unbounded, higher is better.
"""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from instructmining.jobs.errors import InputError
from instructmining.jobs.log import progress
from instructmining.models.attention import budget
from instructmining.models.likelihood import read_responses
from instructmining.models.loading import check_length, load_causal_lm, load_tokenizer
from instructmining.models.prompts import encode

Matrix = NDArray[np.float64]


def pair_rows(chosen: pl.DataFrame, rejected: pl.DataFrame) -> tuple[list[int], list[int]]:
    """Places of the two sides of each pair: the rows of the two frames that came from the same source row."""
    both = (
        chosen.select("row").with_row_index("i").join(rejected.select("row").with_row_index("j"), on="row").sort("row")
    )
    return both["i"].to_list(), both["j"].to_list()


def fit_from_examples(chosen: pl.DataFrame, rejected: pl.DataFrame, settings: dict[str, Any]) -> dict[str, Any]:
    """Read both sides with the model and fit; ``settings`` are the indicator entry's.

    Pairs with an empty side are left out and counted.
    Returns fit_head's figures, ``layer`` and ``pairs_left_out``.
    """
    left, right = pair_rows(chosen, rejected)
    layer = settings["preference_head"]["layer"]
    features = response_features(pl.concat([chosen[left], rejected[right]]), settings, layer)
    sides = [(features[i], features[i + len(left)]) for i in range(len(left))]
    whole = [(a, b) for a, b in sides if a is not None and b is not None]
    head = settings["preference_head"]
    fitted = fit_head(
        np.array([a for a, _ in whole]), np.array([b for _, b in whole]), head["ridge"], head["folds"], head["seed"]
    )
    return {"layer": layer, "pairs_left_out": len(sides) - len(whole), **fitted}


def response_features(examples: pl.DataFrame, settings: dict[str, Any], layer: int) -> list[Matrix | None]:
    """Mean hidden state (hidden,) of ``layer`` over each response; None where there is no response token."""
    tokenizer = load_tokenizer(settings["model_path"], settings["revision"])
    model = load_causal_lm(settings["model_path"], settings["revision"], settings["precision"], settings["device"])
    check_length(model, settings["max_length"], settings["model_path"])
    limits = (settings["max_length"], settings["max_prompt_length"])
    encoded = encode(examples, tokenizer, settings["template"], *limits, end=False)
    tokens = budget(model, settings["batch_tokens"])
    readings = read_responses(model, encoded, tokens, layer=layer, advance=progress(len(encoded), "responses read"))
    return [r.features.double().numpy() if r is not None and r.features is not None else None for r in readings]


def fit_head(chosen: Matrix, rejected: Matrix, ridge: float, folds: int, seed: int) -> dict[str, Any]:
    """Fit on pairs; ``chosen`` and ``rejected`` are (pairs, hidden).

    Features are scaled by their standard deviation over both sides, so that ``ridge`` means the same in every layer.
    ``heldout_accuracy`` is the share of pairs put in the right order by a head that did not see them (``folds`` folds),
    with a 95 % Wilson interval. Errors: InputError for fewer pairs than two a fold.
    """
    from sklearn.model_selection import KFold  # a second, and whoever scores with a head imports this module

    pairs = len(chosen)
    if pairs < 2 * folds:
        raise InputError(f"preference head: {pairs} pairs, expected at least {2 * folds} for {folds} folds")
    scale = np.concatenate([chosen, rejected]).std(0) + 1e-8
    differences = (chosen - rejected) / scale
    right = 0
    for train, test in KFold(folds, shuffle=True, random_state=seed).split(differences):
        right += int((differences[test] @ _weights(differences[train], ridge) > 0).sum())
    return {
        "weights": [float(value) for value in _weights(differences, ridge) / scale],
        "ridge": ridge,
        "pairs": pairs,
        "heldout_accuracy": right / pairs,
        "heldout_interval": _wilson(right, pairs),
    }


def _weights(differences: Matrix, ridge: float) -> Matrix:
    """Every difference stands in both directions, so that the fit has no side to prefer and needs no intercept."""
    from sklearn.linear_model import LogisticRegression

    both = np.concatenate([differences, -differences])
    labels = np.repeat([1, 0], len(differences))
    # both directions double the likelihood: the penalty doubles with it
    fit = LogisticRegression(C=1 / (2 * ridge), fit_intercept=False, max_iter=2000, tol=1e-8).fit(both, labels)
    weights: Matrix = fit.coef_[0]
    return weights


def head_score(head: dict[str, Any], features: Matrix) -> float:
    """Score of one response from its features (hidden,)."""
    return float(np.asarray(head["weights"]) @ features)


def _wilson(right: int, total: int) -> list[float]:
    z = 1.959963984540054
    share = right / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z * np.sqrt(share * (1 - share) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    return [float(middle - half), float(middle + half)]
