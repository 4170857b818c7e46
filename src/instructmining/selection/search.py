"""BlendSearch over the size of a strategy's prefix, one trial at a time, rebuilt from the trials' files.

Source: Cao et al. 2023, section 3 (BlendSearch, Wang et al. 2021, as in FLAML). Each proposal replays the whole
history through a new searcher, so a trial depends on files alone and a crash loses nothing. The cost of a trial is
its size and there is no time budget: seconds would make the proposals irreproducible.
"""

import logging
import math
import warnings
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from instructmining.jobs.errors import InputError

# BlendSearch answers None rather than repeat itself, 2 to 4 times in 24 trials over a wide range.
MAX_ASKS = 100


def told(trial: int, parallel: int) -> range:
    """The trials whose loss is known when ``trial`` is proposed: all up to ``trial - parallel``."""
    return range(max(0, trial - parallel + 1))


def propose(
    trial: int,
    proposals: Sequence[Mapping[str, Any]],
    losses: Sequence[float | None],
    *,
    search: str,
    low: int,
    high: int,
    parallel: int,
    seed: int,
) -> dict[str, Any]:
    """Propose the size of trial ``trial``, log-uniform between ``low`` and ``high``, both inclusive.

    ``proposals``: what this function returned for the trials before, in order. ``losses``: of ``told(trial,
    parallel)``, in order, lower is better; one that is None or not finite is told as a failed trial.
    ``search`` names the search in errors.

    InputError if the replay does not give the earlier proposals again, or if no size is left.
    """
    if len(proposals) != trial or len(losses) != len(told(trial, parallel)):
        raise InputError(
            f"search {search}: trial {trial} needs {trial} proposals and {len(told(trial, parallel))} losses, "
            f"got {len(proposals)} and {len(losses)}"
        )
    versions = {package: version(package) for package in ("flaml", "optuna")}
    searcher = _searcher(low, high, seed)
    asked: list[tuple[str, dict[str, Any]]] = []
    reported = 0
    for t in range(trial + 1):
        while reported < len(told(t, parallel)):
            _tell(searcher, *asked[reported], losses[reported])
            reported += 1
        asked.append(_ask(searcher, t, f"search {search}: trial {t}: no size between {low} and {high} is left"))
        if t < trial and (proposals[t]["searcher_id"], proposals[t]["size"]) != (asked[t][0], asked[t][1]["size"]):
            raise InputError(
                f"search {search}: replay of trial {t} proposes {asked[t][1]['size']}, its file says "
                f"{proposals[t]['size']}: the file, an earlier loss, flaml or optuna changed (file "
                f"{proposals[t].get('versions')}, installed {versions}); delete results/searches/{search}/ "
                "to search anew"
            )
    searcher_id, config = asked[trial]
    return {"trial": trial, "searcher_id": searcher_id, "size": int(config["size"]), "versions": versions}


def choose(trials: Sequence[Mapping[str, Any]], search: str) -> dict[str, Any]:
    """The best of ``trials`` (each ``trial``, ``size``, ``value``): lowest finite value, the smaller size if equal.

    Returns ``best_size``, ``best_value``, ``best_trial`` and ``trials``. InputError if no value is finite.
    """
    finished = [trial for trial in trials if _finite(trial["value"])]
    if not finished:
        raise InputError(f"search {search}: none of its {len(trials)} trials has a finite loss")
    best = min(finished, key=lambda trial: (trial["value"], trial["size"], trial["trial"]))
    return {
        "best_size": best["size"],
        "best_value": best["value"],
        "best_trial": best["trial"],
        "trials": [{key: trial[key] for key in ("trial", "size", "value")} for trial in trials],
    }


def _searcher(low: int, high: int, seed: int) -> Any:
    # Imported here: a second of imports, and of warnings about parts of flaml that nobody uses.
    logging.getLogger("flaml").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import optuna
        from flaml.tune.sample import lograndint
        from flaml.tune.searcher.blendsearch import BlendSearch

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        return BlendSearch(
            metric="loss",
            mode="min",
            space={"size": lograndint(low, high + 1)},
            low_cost_partial_config={"size": low},
            cost_attr="cost",
            seed=seed,
        )


def _ask(searcher: Any, trial: int, exhausted: str) -> tuple[str, dict[str, Any]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for attempt in range(MAX_ASKS):
            searcher_id = f"{trial:03d}.{attempt}"
            config = searcher.suggest(searcher_id)
            if config is not None:
                return searcher_id, config
    raise InputError(exhausted)


def _tell(searcher: Any, searcher_id: str, config: dict[str, Any], loss: float | None) -> None:
    if loss is None or not _finite(loss):
        searcher.on_trial_complete(searcher_id, result=None, error=True)
    else:
        result = {"loss": loss, "cost": float(config["size"]), "config": config}
        searcher.on_trial_complete(searcher_id, result=result)


def _finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)
