"""Keys that several kinds of entries have, once."""

from instructmining.settings.setting import (
    ABSENT,
    NAME_PATTERN,
    NOTHING,
    REQUIRED,
    Fields,
    anything,
    flag,
    label,
    mapping,
    name,
    number,
    one_of,
    text,
    whole,
)

_VARIABLE = "^[A-Za-z_][A-Za-z0-9_]*$"
_RUN = "the run, the entry"
_HEAD = "the head, the entry"

MODEL = text(REQUIRED, "see [models](#models)", type_words="model")
REVISION = text("main", "commit or tag of a hub id; `main` is marked unpinned")
TEMPLATE = one_of(
    ["alpaca", "alpaca_short", "plain", "vicuna", "chat"], "alpaca", "prompt template; `chat` is the tokenizer's own"
)
MAX_LENGTH = whole(2048, "tokens of prompt and response together; cuts are counted", minimum=2)
MAX_PROMPT_LENGTH = whole(None, "the prompt keeps at most this many tokens, its last ones", minimum=1)
PRECISION = one_of(["float32", "bfloat16"], "float32", "number format")
DEVICE = one_of(["cpu", "cuda"], "cpu", "where it is computed; never changed silently")

# how fast a model goes: these keys change no result
BATCH_TOKENS = whole(4096, "tokens a forward pass; halved when memory runs out", minimum=1, again=NOTHING)
GPUS = whole(
    1,
    "GPUs of one node that share a shard, a process each; more nodes: `shards` of the dataset",
    minimum=1,
    again=NOTHING,
)

OUTPUTS = anything(
    {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": False,
        "patternProperties": {NAME_PATTERN: {"type": "string", "pattern": NAME_PATTERN}},
    },
    "output: column",
    REQUIRED,
    "what is computed, under which name",
)
COLUMN = name("a column", REQUIRED, "what is sorted")
VECTORS = name("an entry of `embeddings`, or of `indicators` by k-NN", REQUIRED, "what is compared")

MIN_SHARE_USED = number(0.9, "a smaller share of items that can be used is an error", minimum=0, maximum=1)
BENCHMARK_DATASET = name("a dataset", ABSENT, "the items; otherwise the source stands here, with any key of datasets")

PREFERENCE_HEAD = mapping(
    Fields(
        {
            "chosen": name("a dataset", REQUIRED, "chosen side of the pairs"),
            "rejected": name("a dataset", REQUIRED, "rejected side of the same pairs, row by row"),
            "layer": whole(20, "layer whose hidden states are averaged; about two thirds up the model", minimum=1),
            "ridge": number(100.0, "ridge penalty on scaled features", above=0),
            "folds": whole(5, "folds of the held-out pair accuracy", minimum=2),
            "seed": whole(0, "seed of the folds", minimum=0),
        },
        again=_HEAD,
    ),
    ABSENT,
    "see below; goes with the output `reward`, and only with it",
    again=_HEAD,
)

SCORING_RUN = mapping(
    Fields(
        {
            "recipe": name("a recipe", REQUIRED, "how it is finetuned"),
            "strategy": text(
                REQUIRED,
                "whose subset of the pool it is trained on",
                pattern="^[a-z0-9_]+(-[0-9]+)?$",
                type_words="a strategy, or one of its seeds: `random-0`",
            ),
            "size": anything(
                {"type": ["integer", "string"], "minimum": 1, "pattern": "^all$"},
                "whole number, or `all`",
                "all",
                "size of that subset; `all` that the strategy ranks",
            ),
            "keep_model": flag(False, "keep the run's weights, to score with them again", again=NOTHING),
        },
        again=_RUN,
    ),
    ABSENT,
    "the model is a run of this study; see below",
    again=_RUN,
)

GENERATION = mapping(
    Fields(
        {
            "max_new_tokens": whole(1024, "tokens of an answer at most", minimum=1),
            "max_length": whole(
                None,
                "tokens of a prompt; a longer one is not answered; none: all but what an answer needs",
                minimum=2,
            ),
            "temperature": number(0.0, "0 takes the likeliest token; above it tokens are drawn", minimum=0),
            "top_p": number(
                1.0,
                "tokens are drawn among the likeliest that have this probability together",
                above=0,
                maximum=1,
                type_words="above 0, to 1",
            ),
            "seed": whole(0, "seed of the draws", minimum=0),
            "stop": anything(
                {"type": "array", "uniqueItems": True, "items": {"type": "string", "minLength": 1}},
                "list of texts",
                [],
                "texts that end an answer, as the end token and the template's own do",
            ),
            "engine": one_of(
                ["auto", "transformers", "vllm"],
                "auto",
                "`auto`: vLLM where it is installed and the recipe's device is cuda",
            ),
        },
        again="its answers",
        title="benchmarks: generation",
    ),
    {},
    "how the run answers: see below",
    again="its answers",
)

_API = {"backend": "api"}
_LOCAL = {"backend": "local"}
JUDGE_BACKEND = one_of(["api", "local"], "api", "an endpoint of OpenAI's API shape, or a model on this machine")
JUDGE_MODEL = text(REQUIRED, "what the endpoint calls it; for `local`, see [models](#models)")
# how a judge is asked, not what it is asked: these keys change no result
JUDGE_CALLS = {
    "concurrency": whole(
        8,
        "requests that wait for an answer at once",
        minimum=1,
        maximum=1000,
        only_with=_API,
        again=NOTHING,
    ),
    "requests_per_minute": number(
        None, "the most requests a minute, evenly spread; no limit when absent", above=0, only_with=_API, again=NOTHING
    ),
    "tokens_per_minute": number(
        None, "the same for estimated tokens of requests and answers", above=0, only_with=_API, again=NOTHING
    ),
    "retries": whole(
        6,
        "times that a request is sent again after 429, 5xx, a time-out, a lost connection or an answer that is none; "
        "waits double, `Retry-After` is honoured",
        minimum=0,
        only_with=_API,
        again=NOTHING,
    ),
    "timeout": number(120, "seconds that an answer may take", above=0, only_with=_API, again=NOTHING),
    "price_input": number(None, "money per million input tokens", minimum=0, only_with=_API, again=NOTHING),
    "price_output": number(None, "money per million output tokens", minimum=0, only_with=_API, again=NOTHING),
    "max_cost": number(
        None,
        "money that the entry's answers may cost in all; no limit when absent",
        above=0,
        only_with=_API,
        again=NOTHING,
    ),
    "base_url_env": text(
        "OPENAI_BASE_URL",
        "environment variable with the endpoint's address",
        pattern=_VARIABLE,
        only_with=_API,
        again=NOTHING,
    ),
    "key_env": text(
        "OPENAI_API_KEY",
        "environment variable with the key; a server that wants none takes any word",
        pattern=_VARIABLE,
        only_with=_API,
        again=NOTHING,
    ),
}
JUDGE_HERE = {
    "revision": text("main", "commit or tag of a hub id", only_with=_LOCAL),
    "max_length": whole(
        2048, "tokens of a question; a longer one is not cut but not asked", minimum=2, only_with=_LOCAL
    ),
    "batch_tokens": whole(
        4096,
        "tokens of questions and answers in a batch; halved when memory runs out",
        minimum=1,
        only_with=_LOCAL,
        again=NOTHING,
    ),
    "device": one_of(
        ["cpu", "cuda"],
        "cpu",
        "where it is computed; several GPUs: `shards` of the dataset",
        only_with=_LOCAL,
        again="the entry, from the old answers",
    ),
    "precision": one_of(["float32", "bfloat16"], "float32", "number format", only_with=_LOCAL),
}

LICENCE = label("shown with everything that is made from it")
ORIGIN = label("where it comes from")
