"""How much of the evaluation sets is in what runs were trained on: prompts word for word, and n-grams of words.

Exact: the prompts are the same without case and white space. N-gram: some n words in a row of the item (its prompt and
its outputs) stand in the training example (its prompt and response) too, as in `instructmining.data.ngrams`; an item of
fewer than n words can only be found exactly.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import polars as pl

from instructmining.data.examples import folded_prompt, item_texts, prompt_text, read_examples, scan_examples
from instructmining.data.ngrams import Index
from instructmining.jobs.errors import InputError

# ``place``: number of the item among all items of all benchmarks
ITEM_SCHEMA = pl.Schema(
    [
        ("benchmark", pl.String()),
        ("place", pl.Int64()),
        ("item", pl.String()),
        ("prompt", pl.String()),
        ("texts", pl.List(pl.String())),
    ]
)
PAIR_SCHEMA = pl.Schema(
    {
        "benchmark": pl.String,
        "item": pl.String,
        "dataset": pl.String,
        "training": pl.String,
        "exact": pl.Boolean,
        "ngram": pl.String,
        "place": pl.Int64,
    }
)
TABLE_SCHEMA = pl.Schema(
    {
        "subset": pl.String,
        "benchmark": pl.String,
        "items": pl.Int64,
        "exact": pl.Int64,
        "ngram": pl.Int64,
        "share": pl.Float64,
        "training_examples": pl.Int64,
    }
)
_ROWS_AT_ONCE = 50_000
_log = logging.getLogger("instructmining")


def read_items(paths: Mapping[str, str | Path]) -> pl.DataFrame:
    """Items (columns ``ITEM_SCHEMA``) of evaluation sets: benchmark -> examples file, or items with ``id``, ``text``.

    InputError for a file that is missing or neither.
    """
    items = ITEM_SCHEMA.to_frame()
    for benchmark, path in paths.items():
        names, prompts, texts = _items(path)
        places = range(items.height, items.height + len(names))
        columns = ([benchmark] * len(names), places, names, prompts, texts)
        items.extend(pl.DataFrame(dict(zip(ITEM_SCHEMA, columns, strict=True)), schema=ITEM_SCHEMA))
    return items


def _items(path: str | Path) -> tuple[list[str], list[str], list[list[str]]]:
    if Path(path).is_file() and {"id", "text"} <= pl.read_parquet_schema(path).keys():
        frame = pl.read_parquet(path, columns=["id", "text"]).drop_nulls()
        found = frame["text"].to_list()
        return frame["id"].to_list(), [folded_prompt(text, "") for text in found], [[text] for text in found]
    examples = read_examples(path)
    prompts = [folded_prompt(*prompt) for prompt in examples.select("instruction", "input").iter_rows()]
    return examples["id"].to_list(), prompts, item_texts(path)


def distinct(subsets: Iterable[pl.DataFrame], template: str | Path) -> Iterator[pl.DataFrame]:
    """Every example of the subsets (columns ``id``, ``dataset``) once, a part of an examples file at a time.

    ``template``: as in `examples.load_rows`. InputError where an example is not in its file.
    """
    named = pl.concat([subset.select("id", "dataset") for subset in subsets])
    wanted = named.unique("id", keep="first", maintain_order=True)
    for (dataset,), part in wanted.group_by("dataset", maintain_order=True):
        path = str(template).format(dataset=dataset)
        examples, missing = scan_examples(path), part.height
        for start in range(0, examples.select(pl.len()).collect().item(), _ROWS_AT_ONCE):
            found = examples.slice(start, _ROWS_AT_ONCE).collect().join(part, on="id", how="semi")
            missing -= found.height
            yield found
        if missing:
            raise InputError(f"{path}: {missing} of {part.height} ids of the subsets are not in it")


def pairs(items: pl.DataFrame, examples: Iterable[pl.DataFrame], n: int) -> pl.DataFrame:
    """Items (from ``read_items``) and training examples with something in common, in the items' order: ``PAIR_SCHEMA``.

    ``exact``: the same prompt; ``ngram``: the first n-gram of the training example that the item has too, or null.
    ``examples``: frames with the columns of examples, each example in one of them.
    """
    index, owners = Index((text for texts in items["texts"] for text in texts), n), list[int]()
    by_prompt: dict[str, list[int]] = defaultdict(list)
    for place, (prompt, texts) in enumerate(items.select("prompt", "texts").iter_rows()):
        owners += [place] * len(texts)
        by_prompt[prompt].append(place)
    benchmarks, names = items["benchmark"].to_list(), items["item"].to_list()
    found, read = PAIR_SCHEMA.to_frame(), 0
    for part in examples:
        rows: dict[tuple[int, int], tuple[bool, str | None]] = {}
        prompts = list(part.select("instruction", "input").iter_rows())
        texts = [f"{prompt_text(*prompt)}\n{output}" for prompt, output in zip(prompts, part["output"], strict=True)]
        for (row, text), gram in index.shared(texts).items():
            # of several texts of an item the first that is met names the n-gram
            rows.setdefault((row, owners[text]), (False, gram))
        for row, prompt in enumerate(prompts):
            for place in by_prompt.get(folded_prompt(*prompt), ()):
                rows[row, place] = (True, rows.get((row, place), (False, None))[1])
        training, datasets = part["id"].to_list(), part["dataset"].to_list()
        columns = [
            (benchmarks[place], names[place], datasets[row], training[row], *told, place)
            for (row, place), told in rows.items()
        ]
        found.extend(pl.DataFrame(columns, PAIR_SCHEMA, orient="row"))
        read += part.height
        _log.info("%d training examples read, %d pairs with something in common", read, found.height)
    return found.sort("place", "training")


def table(items: pl.DataFrame, found: pl.DataFrame, subsets: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Every subset with every benchmark, in their orders: columns and types of ``TABLE_SCHEMA``.

    ``found``: from ``pairs``. ``exact`` and ``ngram`` count items, ``share`` (0 to 1) those found either way among
    ``items``; ``training_examples`` are the subset's that have anything in common with the benchmark.
    """
    benchmarks = items.group_by("benchmark", maintain_order=True).agg(items=pl.len())
    parts = []
    for subset, rows in subsets.items():
        counted = (
            found.join(rows.select(training="id").unique(), on="training", how="semi")
            .group_by("benchmark")
            .agg(
                exact=pl.col("place").filter("exact").n_unique(),
                ngram=pl.col("place").filter(pl.col("ngram").is_not_null()).n_unique(),
                share=pl.col("place").n_unique(),
                training_examples=pl.col("training").n_unique(),
            )
        )
        joined = benchmarks.join(counted, on="benchmark", how="left", maintain_order="left").fill_null(0)
        shares = joined.with_columns(pl.col("share") / pl.col("items"), subset=pl.lit(subset))
        parts.append(shares.select(TABLE_SCHEMA.names()).cast(TABLE_SCHEMA))
    return pl.concat([TABLE_SCHEMA.to_frame(), *parts])


def tables(
    evaluated: Mapping[str, str | Path], subsets: Mapping[str, pl.DataFrame], template: str | Path, n: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """``table`` and, ``with_subsets``, the ``pairs`` behind it.

    ``evaluated``: as in ``read_items``; ``subsets``: name -> columns ``id``, ``dataset``; ``template``: as in
    ``distinct``; ``n``: words of an n-gram. InputError for texts that are missing.
    """
    items = read_items(evaluated)
    found = pairs(items, distinct(subsets.values(), template), n)
    return table(items, found, subsets), with_subsets(found, subsets)


def with_subsets(found: pl.DataFrame, subsets: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """``pairs`` with ``subsets``, the number of subsets that hold the training example; without ``place``."""
    held = pl.concat([rows.select(training="id").unique() for rows in subsets.values()])
    counted = held.group_by("training").agg(subsets=pl.len().cast(pl.Int64))
    return found.join(counted, on="training", how="left", maintain_order="left").drop("place")
