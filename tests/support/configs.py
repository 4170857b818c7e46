"""A small valid configuration, and how the tests of the configuration change and check it."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from instructmining import config as cfg
from instructmining.config.building import config_schema

ROOT = Path(__file__).parents[2]
SCHEMA = config_schema()

SMALL = yaml.safe_load("""
models:
  tiny: {path: models/tiny}
datasets:
  alpaca: {path: data/alpaca.json, limit: 50}
  dolly: {hub: databricks/databricks-dolly-15k, format: dolly, shards: 4, exclude_prompts_of: [test]}
  good: {path: data/pairs.json, format: preference, side: chosen, rows: [0, 20]}
  bad: {path: data/pairs.json, format: preference, side: rejected, rows: [0, 20]}
  test: {path: data/test.csv, format: columns, columns: {instruction: q, output: a}}
pools:
  unseen: [dolly, alpaca]
benchmarks:
  held_out: {kind: loss, path: data/held_out.jsonl, limit: 8}
  final: {kind: loss, dataset: test, max_length: 64}
mixtures:
  - {name: base, datasets: [alpaca, dolly], count: 9, size: 20}
recipes:
  small: {model: tiny, batch_size: 16}
  adapters: {model: tiny, method: lora, lora: {r: 4}, batch_size: 16}
indicators:
  lengths: {scorer: lengths, model: tiny, outputs: {output_length: output_length}}
  mtld: {scorer: mtld}
  knn_6: {scorer: knn, model: tiny}
  judge:
    scorer: causal
    model: tiny
    outputs: {perplexity: ppl, reward: reward}
    preference_head: {chosen: good, rejected: bad}
indicator_check: {chosen: good, rejected: bad}
quality_rules:
  fitted: {mixtures: [base], recipe: small, loss: held_out, max_indicators: 2}
  published: {preset: instructmining-v1}
  table: {observations: table.csv, indicators: [reward]}
strategies:
  instructmining: {kind: quality_rule, quality_rule: fitted}
  random: {kind: random, seeds: 2}
  longest: {kind: longest}
  full: {kind: full}
searches:
  main: {strategy: instructmining, pool: unseen, recipe: small, loss: held_out, low: 8, high: 64, trials: 6}
comparisons:
  first:
    pools: [unseen]
    strategies: [instructmining, random, full]
    sizes: [16, best-main]
    recipes: [small]
    benchmarks: [held_out, final]
""")


def check(raw: dict[str, Any]) -> dict[str, Any]:
    return cfg.load_defaults_and_check(raw, "my.yaml")


def changed(path: str, value: Any) -> dict[str, Any]:
    """SMALL with the key at ``path`` set to ``value``, or removed when it is ``...``."""
    raw = deepcopy(SMALL)
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    node: Any = raw
    for part in parents:
        node = node[part]
    if value is ...:
        del node[last]
    else:
        node[last] = value
    return raw


def selecting(path: str = "", value: Any = None) -> dict[str, Any]:
    """The small configuration with cherry and deita, and the key at ``path`` changed."""
    raw = changed("embeddings", {"prompts": {"model": "tiny", "text": "prompt", "pooling": "mean"}})
    raw["indicators"]["ifd"] = {
        **{"scorer": "causal", "run": {"recipe": "small", "strategy": "cherry_seed"}},
        "outputs": {"ifd": "ifd", "perplexity": "ifd_ppl"},
    }
    raw["strategies"] |= {
        "cherry_seed": {"kind": "cherry_seed", "embeddings": "prompts", "clusters": 5, "per_cluster": 2},
        "cherry": {"kind": "cherry", "indicator": "ifd"},
        "deita": {"kind": "deita", "complexity": "ppl", "quality": "reward", "embeddings": "knn_6"},
    }
    raw["comparisons"]["first"]["strategies"] += ["cherry", "deita"]
    if path:
        node: Any = raw
        *parents, last = path.split(".")
        for part in parents:
            node = node[part]
        node[last] = value
    return raw


def on_gpus() -> dict[str, Any]:
    """The small configuration with GPUs for its runs and for two of its indicators."""
    raw = changed("recipes.small", {"model": "tiny", "device": "cuda", "gpus": 4, "launcher": "torchrun", "threads": 6})
    raw["indicators"]["judge"] |= {"device": "cuda", "gpus": 2}
    raw["indicators"]["knn_6"] |= {"device": "cuda", "gpus": 3, "n_jobs": 5}
    return raw
