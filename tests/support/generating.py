"""Prompts and settings of a generation, as a checked config has them."""

import polars as pl

from tiny import SENTENCES

EXAMPLES = pl.DataFrame(
    [
        {"id": f"id{row}", "instruction": SENTENCES[row % 6][: 9 * row + 5], "input": "More." * (row % 2), "output": ""}
        for row in range(8)
    ]
)
SETTINGS = {
    **{"template": "alpaca_short", "max_prompt_length": None, "precision": "float32", "device": "cpu"},
    **{"batch_tokens": 400, "max_new_tokens": 24, "temperature": 0, "top_p": 1.0, "seed": 0, "stop": []},
    **{"max_length": None, "engine": "auto"},
}
SAMPLED = {"temperature": 1.0, "top_p": 0.9}
