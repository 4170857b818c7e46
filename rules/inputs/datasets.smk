# Inputs and params of rules/datasets.smk. Params hold what a result depends on, and no more.


def get_archive(entry):
    """Where the package archive of a model or dataset lies."""
    return f"results/packages/{entry['package']}-{entry['version']}.archive"


def get_package(wildcards):
    """The config entry (sha256, archive) of a package; models and datasets may share one."""
    entries = [*config["models"].values(), *config["datasets"].values()]
    wanted = (wildcards.package, wildcards.version)
    return next(e for e in entries if (e.get("package"), e.get("version")) == wanted)


def get_examples(datasets):
    return [f"results/datasets/{dataset}/examples.parquet" for dataset in datasets]


def get_summaries(datasets):
    return [f"results/datasets/{dataset}/summary.json" for dataset in datasets]


def get_dataset_settings(wildcards):
    """What the examples of a dataset depend on: all its settings, save how they are split up later."""
    settings = config["datasets"][wildcards.dataset]
    # where nothing is excluded, how it would be says nothing
    unused = ("shards", *([] if settings["exclude_ngrams_of"] else ["exclude_ngrams_of", "ngram"]))
    return {key: value for key, value in settings.items() if key not in unused}


def get_dataset_inputs(wildcards):
    """Source of a dataset, and the datasets whose prompts it must not contain.

    A local file that is not there is no input: the study plans without it, and the job that reads it says so.
    """
    settings = config["datasets"][wildcards.dataset]
    inputs = {}
    if settings.get("package"):
        inputs["archive"] = get_archive(settings)
    elif settings.get("path") and Path(settings["path"]).exists():
        inputs["source"] = settings["path"]
    if settings.get("exclude_prompts_of"):
        inputs["excluded"] = get_examples(settings["exclude_prompts_of"])
    if settings.get("exclude_ngrams_of"):
        inputs["excluded_ngrams"] = get_examples(settings["exclude_ngrams_of"])
    return inputs
