"""Keys of the sections searches, comparisons, studies, costs and report."""

from instructmining.settings import REQUIRED, Fields, anything, flag, name, names, number, text, whole

SEARCHES = Fields(
    {
        "strategy": text(
            REQUIRED,
            "whose order; of one with seeds, one of them: `random-0`",
            pattern="^[a-z0-9_]+(-[0-9]+)?$",
            type_words="a strategy",
        ),
        "pool": name("a pool", REQUIRED, "which pool"),
        "recipe": name("a recipe", REQUIRED, "how the trials are finetuned"),
        "loss": name("a benchmark", REQUIRED, "what is minimised"),
        "low": whole(REQUIRED, "smallest size", minimum=1),
        "high": whole(REQUIRED, "largest size, inclusive", minimum=1),
        "trials": whole(REQUIRED, "how many sizes are tried", minimum=1, maximum=1000, again="only the new trials"),
        "parallel": whole(1, "trials that may run at once; 1 or 2, more makes BlendSearch worse", minimum=1),
        "seed": whole(0, "seed of BlendSearch", minimum=0),
    },
    again="the search",
)


COMPARISONS = Fields(
    {
        "pools": names("pools", REQUIRED, "pools"),
        "strategies": names("strategies", REQUIRED, "strategies; one with seeds means all of them"),
        "sizes": anything(
            {
                "type": "array",
                "uniqueItems": True,
                "items": {"type": ["integer", "string"], "minimum": 1, "pattern": "^best-[a-z0-9_]+$"},
            },
            "list",
            [],
            "numbers of examples, and `best-{search}`; strategies of kind full need none",
        ),
        "recipes": names("recipes", REQUIRED, "recipes"),
        "benchmarks": names("benchmarks", REQUIRED, "benchmarks"),
        "keep_models": flag(
            True,
            "keep the weights of all these runs, so that a later benchmark need not retrain",
            again="runs whose weights are gone",
        ),
    },
    again="only what is new",
)


ABLATION = Fields(
    {
        "strategy": name("a strategy", REQUIRED, "one of kind `quality_rule`, whose rule was fitted"),
        "pools": names("pools", REQUIRED, "pools"),
        "sizes": anything(
            {
                "type": "array",
                "minItems": 1,
                "uniqueItems": True,
                "items": {"type": ["integer", "string"], "minimum": 1, "pattern": "^best-[a-z0-9_]+$"},
            },
            "list",
            REQUIRED,
            "numbers of examples, and `best-{search}`",
        ),
        "recipes": names("recipes", REQUIRED, "recipes"),
        "benchmarks": names("benchmarks", REQUIRED, "benchmarks"),
        "seeds": whole(
            1,
            "how often each run is made: under the recipe itself, and under `{recipe}_seed1`, … with `seed` raised by "
            "1, …; with 1 there are no intervals",
            minimum=1,
        ),
        "keep_models": flag(False, "keep the weights of all these runs", again="runs whose weights are gone"),
    },
    again="only what is new",
)


BY_DATASET = Fields(
    {
        "datasets": names("datasets", REQUIRED, "datasets"),
        "size": whole(REQUIRED, "examples drawn of each", minimum=1, again="everything"),
        "seeds": whole(3, "draws of each", minimum=1),
        "seed": whole(0, "seed of the draws", minimum=0, again="the draws"),
        "recipes": names("recipes", REQUIRED, "recipes"),
        "benchmarks": names("benchmarks", REQUIRED, "benchmarks"),
        "keep_models": flag(False, "keep the weights of all these runs", again="runs whose weights are gone"),
    },
    again="only what is new",
)


SIZE_SCAN = Fields(
    {
        "strategies": names("strategies", REQUIRED, "strategies; one with seeds means all of them"),
        "pools": names("pools", REQUIRED, "pools"),
        "recipes": names("recipes", REQUIRED, "recipes"),
        "benchmarks": names("benchmarks", REQUIRED, "benchmarks"),
        "low": whole(REQUIRED, "smallest size", minimum=1),
        "high": whole(REQUIRED, "largest size, inclusive", minimum=1),
        "points": whole(REQUIRED, "sizes; 2 or more", minimum=2, maximum=1000),
        "keep_models": flag(False, "keep the weights of all these runs", again="runs whose weights are gone"),
    },
    again="only what is new",
)


COSTS = Fields(
    {
        "gpu_hour": number(None, "price of one GPU for an hour; GPU time counts nothing when absent", minimum=0),
        "cpu_hour": number(None, "price of one CPU core for an hour; CPU time counts nothing when absent", minimum=0),
        "currency": text("USD", "of these prices, and of answers paid for over an API"),
    },
    again="the pages of costs",
)


REPORT = Fields(
    {
        "examples": whole(10, "examples shown from the top, the middle and the bottom of a ranking", minimum=1),
        "ngram": whole(
            13, "words in a row by which training examples and items of benchmarks are found to overlap", minimum=2
        ),
    },
    again="the report",
)
