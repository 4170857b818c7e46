"""The model card of a finetuned model: what it was made from, how, and how well it does, in Hugging Face's form."""

from collections.abc import Mapping
from typing import Any

_CARD = """---
library_name: transformers
base_model: {base}
pipeline_tag: text-generation
tags: [instruction-tuning, data-selection, instructmining]
---

# {base}, finetuned on {size} selected examples

Base model `{base}` (revision {revision}), {method} finetuning by the recipe `{recipe}`: {epochs} epochs,
{batch_size} examples a step, learning rate {learning_rate}, at most {max_length} tokens an example, prompt template
`{template}`, seed {seed}. {tokens} tokens in {steps} steps.

## Data

The first {size} examples of the pool `{pool}` ({datasets}) in the order of the strategy `{strategy}`; the size is the
best of {trials} trials of the search `{search}`. They lie beside this file: `subset.parquet` and `subset.jsonl`
(`datasets.load_dataset("json", data_files="subset.jsonl")`), each with the row of the source it came from.
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
    datasets: list[str],
) -> str:
    """Markdown with YAML front matter. ``names``: recipe, strategy, pool, search; ``evaluations`` by benchmark."""
    settings = train["settings"]
    revision = "unpinned" if settings["revision"] == "main" else settings["revision"]
    losses = [
        f"- `{name}`: {figures['value']:.4f} {figures['unit']} ({figures['n_used']} of {figures['n_expected']} items)"
        for name, figures in evaluations.items()
    ]
    return _CARD.format(
        **names,
        **{key: settings[key] for key in ("epochs", "batch_size", "learning_rate", "max_length", "template", "seed")},
        base=settings["model"],
        revision=revision,
        method="LoRA" if settings["method"] == "lora" else "full",
        size=search["best_size"],
        trials=len(search["trials"]),
        tokens=train["tokens"],
        steps=train["steps"],
        datasets=", ".join(datasets),
        rule=_rule_section(rule) if rule else "",
        losses="\n".join(losses),
    )


def _rule_section(rule: Mapping[str, Any]) -> str:
    terms = [f"{value:+.4g} {name}" for name, value in rule["coefficients"].items() if name != "intercept"]
    formula = f"{rule['coefficients']['intercept']:.4g} " + " ".join(terms)
    fit = f" (R² {rule['r_squared']:.3f} on {rule['n']} mixtures)" if rule.get("r_squared") is not None else ""
    return f"\nThe strategy ranks by the quality rule log(loss) = {formula}{fit}, lowest first.\n"
