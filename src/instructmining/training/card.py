"""The model card of a finetuned model: what it was made from, how, and how well it does, in Hugging Face's form."""

from collections.abc import Mapping
from typing import Any

from instructmining.quality_rules.regression import formula

_CARD = """---
library_name: transformers
base_model: {base}
license: {licence}
pipeline_tag: text-generation
tags: [instruction-tuning, data-selection, instructmining]
---

# {base}, finetuned on {size} selected examples

Base model `{base}` ({revision}), {method} finetuning by the recipe `{recipe}`: {epochs} epochs,
{batch_size} examples a step, learning rate {learning_rate}, at most {max_length} tokens an example, prompt template
`{template}`, seed {seed}. {tokens} tokens in {steps} steps.

## Data

The first {size} examples of the pool `{pool}` in the order of the strategy `{strategy}`; the size is the
best of {trials} trials of the search `{search}`. They lie beside this file: `subset.parquet` and `subset.jsonl`
(`datasets.load_dataset("json", data_files="subset.jsonl")`), each with the row of the source it came from.

| dataset | source | revision | licence |
|---|---|---|---|
{datasets}
{rule}
## Evaluation

{losses}

Lower is better. What random subsets of the same size give is in the report of the workflow that made this model.

## Use

```python
from transformers import AutoModelForCausalLM, AutoTokenizer

model = AutoModelForCausalLM.from_pretrained("model")
tokenizer = AutoTokenizer.from_pretrained("model")
```
"""


def model_card(
    names: Mapping[str, str],
    train: Mapping[str, Any],
    search: Mapping[str, Any],
    evaluations: Mapping[str, Mapping[str, Any]],
    rule: Mapping[str, Any] | None,
    base: Mapping[str, str | None],
    datasets: Mapping[str, Mapping[str, Any]],
) -> str:
    """Markdown with YAML front matter.

    ``names``: recipe, strategy, pool, search. ``evaluations``: figures by benchmark. ``base``: the base model's model,
    revision, origin and licence, the last two null where unknown. ``datasets``: summary.json of each dataset of the
    pool, by name. The front matter's licence is the base model's, or `other` where a dataset has a different one.
    """
    settings = train["settings"]
    losses = [
        f"- `{name}`: {figures['value']:.4f} {figures['unit']} ({figures['n_used']} of {figures['n_expected']} items)"
        for name, figures in evaluations.items()
    ]
    return _CARD.format(
        **names,
        **{key: settings[key] for key in ("epochs", "batch_size", "learning_rate", "max_length", "template", "seed")},
        base=base["origin"] or base["model"],
        revision=base["revision"],
        licence=_licence(base, datasets),
        method="LoRA" if settings["method"] == "lora" else "full",
        size=search["best_size"],
        trials=len(search["trials"]),
        tokens=train["tokens"],
        steps=train["steps"],
        datasets="\n".join(_dataset_row(name, summary) for name, summary in datasets.items()),
        rule=_rule_section(rule) if rule else "",
        losses="\n".join(losses),
    )


def _licence(base: Mapping[str, str | None], datasets: Mapping[str, Mapping[str, Any]]) -> str:
    same = {summary["licence"] for summary in datasets.values()} <= {base["licence"]}
    return (base["licence"] or "unknown") if same else "other"


def _dataset_row(name: str, summary: Mapping[str, Any]) -> str:
    checksum = f"sha256 {summary['sha256'][:16]}" if summary["sha256"] else "unknown"
    cells = (f"`{name}`", summary["source"], summary["revision"] or checksum, summary["licence"] or "unknown")
    escaped = [str(cell).replace("|", "\\|") for cell in cells]
    return f"| {' | '.join(escaped)} |"


def _rule_section(rule: Mapping[str, Any]) -> str:
    fit = f" (R² {rule['r_squared']:.3f} on {rule['n']} mixtures)" if rule.get("r_squared") is not None else ""
    return f"\nThe strategy ranks by the quality rule {formula(rule)}{fit}, lowest first.\n"
