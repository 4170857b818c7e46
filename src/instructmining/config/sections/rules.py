"""Keys of the sections indicator_check and quality_rules."""

from instructmining.settings import ABSENT, NAME_PATTERN, REQUIRED, Fields, anything, name, names, one_of, text, whole

NAME_NODE = {"type": "string", "pattern": NAME_PATTERN}

INDICATOR_CHECK = Fields(
    {
        "chosen": name("a dataset", REQUIRED, "chosen side of the pairs"),
        "rejected": name("a dataset", REQUIRED, "rejected side of the same pairs, row by row"),
    },
    again="the check",
)


# of a rule that is fitted: how its indicators are chosen, and what is said with it
_CHOICE = {
    "indicators": anything(
        {"type": ["string", "array"], "pattern": "^auto$", "minItems": 1, "uniqueItems": True, "items": NAME_NODE},
        "`auto` or list of columns",
        "auto",
        "columns of the rule",
    ),
    "candidates": anything(
        {"type": ["array", "null"], "minItems": 1, "uniqueItems": True, "items": NAME_NODE},
        "list of columns",
        None,
        "what `auto` chooses among (only with it); all when absent",
    ),
    "max_indicators": whole(4, "the most indicators that `auto` chooses", minimum=1),
    "bootstrap": whole(2000, "samples of the bootstrap intervals", minimum=1),
    "seed": whole(0, "seed of the bootstrap and of the permutations", minimum=0),
    "against": one_of(
        ["instructmining-v1", "instructmining-v2"],
        ABSENT,
        "published rule that its page compares with it; indicators of the same name are compared",
        again="its page",
    ),
}


FITTED = Fields(
    {
        "mixtures": names("blocks", REQUIRED, "whose runs are the observations", again="runs of new blocks, the rule"),
        "recipe": name("a recipe", REQUIRED, "how they are finetuned", again="those runs, the rule"),
        "loss": name("a benchmark", REQUIRED, "what is predicted", again="evaluations, the rule"),
        **_CHOICE,
    },
    again="the rule",
)


PUBLISHED = Fields(
    {
        "preset": one_of(["instructmining-v1", "instructmining-v2"], REQUIRED, "published coefficients"),
        "columns": anything(
            {"type": "object", "additionalProperties": False, "patternProperties": {"^[a-z0-9_]+$": NAME_NODE}},
            "published name: column",
            {},
            "your column for a published name, where they differ",
        ),
    },
    again="the rule",
)


FROM_TABLE = Fields(
    {
        "observations": text(REQUIRED, "CSV: one row a subset, the indicator columns, and `loss`"),
        "origin": text(ABSENT, "where the table comes from: kept with the rule, and said where the table is missing"),
        **_CHOICE,
        "candidates": _CHOICE["candidates"].but(
            meaning="what `auto` chooses among (only with it); needed if a strategy uses the rule"
        ),
    },
    again="the rule",
)
