# Inputs and params of rules/indicators.smk. Params hold what a result depends on, and no more.


# how fast a scorer goes: not what it finds
_NOT_VALUES = ("batch_tokens", "gpus", *CALL_KEYS)

# patterns that match nothing where there are none
NEIGHBOUR_ENTRIES = "|".join(neighbour_entries(config)) or "(?!)"
_EMBEDDED = [*config["embeddings"], *neighbour_entries(config)]
EMBEDDING_ENTRIES = "|".join({embedding_entry(config, entry): 0 for entry in _EMBEDDED}) or "(?!)"
RUN_ENTRIES = "|".join(run_entries(config)) or "(?!)"
_BY_ROW = [entry for entry in config["indicators"] if entry not in [*neighbour_entries(config), *run_entries(config)]]
_ON_CPU = [e for e in _BY_ROW if not {"device", "backend"} & set(config["indicators"][e])]
MODEL_ENTRIES = "|".join(entry for entry in _BY_ROW if entry not in _ON_CPU) or "(?!)"
CPU_ENTRIES = "|".join(_ON_CPU) or "(?!)"


def get_entry(name):
    """Settings of an entry of embeddings, or of indicators."""
    return config["embeddings"][name] if name in config["embeddings"] else config["indicators"][name]


def get_batch_tokens(wildcards):
    """Tokens of one batch; a resource, since it changes no result."""
    return get_entry(wildcards.entry).get("batch_tokens", 0)


def get_gpus(wildcards):
    """GPUs of one job: of a shard, not of the entry."""
    settings = get_entry(wildcards.entry)
    return settings.get("gpus", 1) if settings.get("device") == "cuda" else 0


def get_gpu_nodes(wildcards):
    """One machine for the GPUs of a job: Slurm would give them from two. Nothing where there are none."""
    return 1 if get_gpus(wildcards) else None


def get_one_gpu(wildcards):
    """The GPU of a job that is not split."""
    return min(1, get_gpus(wildcards))


def asks_an_endpoint(entry):
    return get_entry(entry).get("backend") == "api"


def get_judges(wildcards):
    """Places at the endpoint that a job takes: profiles/ let one job ask at a time, with all its concurrency."""
    return int(asks_an_endpoint(wildcards.entry))


def get_indicator_entry(entry, pool=None):
    """An entry's settings with its columns, where its model and its preference head lie, and what the model is.

    ``pool``: whose run the model is, of entries that have one.
    """
    settings = config["indicators"][entry]
    found = {key: value for key, value in settings.items() if key not in _NOT_VALUES}
    # sorted: Snakemake compares params as text, and the order in which these are written means nothing
    found["outputs"] = dict(sorted(output_columns(entry, settings).items()))
    if "request" in found:
        found["request"] = dict(sorted(found["request"].items()))
    if "run" in settings:
        found["run"] = {key: value for key, value in settings["run"].items() if key != "keep_model"}
        run = f"{settings['run']['recipe']}/{run_subset(config, entry, pool)}"
        # a run's folder has no revisions
        found |= {"model_path": f"results/runs/{run}/model", "revision": "main"}
        found["model_record"] = {"model": run, "revision": "run"}
    elif asks_an_endpoint(entry):
        found["model_record"] = {"model": settings["model"]}
    elif "model" in settings:
        found["model_path"] = get_model_path(settings["model"])
        found["model_record"] = get_model_record(settings["model"], settings["revision"])
    if settings["scorer"] == "causal" and "reward" in found["outputs"]:
        found["preference_head_path"] = f"results/preference_heads/{entry}.json"
    return found


def get_entry_model(entry):
    name = get_entry(entry).get("model")
    return {"model": get_model_input(name)} if name and not asks_an_endpoint(entry) else {}


def get_indicator_settings(wildcards):
    return get_indicator_entry(wildcards.entry, getattr(wildcards, "pool", None))


def get_scorer_version(wildcards):
    return versions.SCORERS[config["indicators"][wildcards.entry]["scorer"]]


def get_score_inputs(wildcards):
    head = get_indicator_entry(wildcards.entry).get("preference_head_path")
    return {
        "examples": f"results/datasets/{wildcards.dataset}/examples.parquet",
        **get_entry_model(wildcards.entry),
        **({"preference_head": head} if head else {}),
        **get_judge_prompt(config["indicators"][wildcards.entry]),
    }


def get_run_score_inputs(wildcards):
    """The examples, and the run's model."""
    return {
        "examples": f"results/datasets/{wildcards.dataset}/examples.parquet",
        "model": get_indicator_entry(wildcards.entry, wildcards.pool)["model_path"],
    }


def get_judge_prompt(settings):
    """A judge's prompt file. One that is not there is no input: the job that reads it says so."""
    found = settings["scorer"] == "judge" and Path(settings["prompt"]).is_file()
    return {"prompt": settings["prompt"]} if found else {}


def get_embedding_inputs(wildcards):
    return {
        "examples": f"results/datasets/{wildcards.dataset}/examples.parquet",
        **get_entry_model(wildcards.entry),
    }


def get_embedding_settings(wildcards):
    """Of k-NN the embedder alone; an entry of embeddings is all of it."""
    settings = get_entry(wildcards.entry)
    hidden = wildcards.entry in config["embeddings"]
    keys = [key for key in settings if key not in _NOT_VALUES] if hidden else EMBEDDING_KEYS
    model, revision = settings["model"], settings["revision"]
    found = {key: settings[key] for key in keys}
    return {**found, "model_path": get_model_path(model), "model_record": get_model_record(model, revision)}


def get_embedding_version(wildcards):
    return versions.EMBEDDINGS["hidden_embeddings" if wildcards.entry in config["embeddings"] else "embeddings"]


def get_embedding_files(datasets, entry):
    """The vectors of these datasets; of k-NN those that its distances are made of."""
    owner = embedding_entry(config, entry)
    return [
        f"results/embeddings/{dataset}/{owner}/{shard}.parquet"
        for dataset in datasets
        for shard in shards(config, dataset)
    ]


def get_reference_set(wildcards):
    """Its kind (that of the entry, but a dataset is its own reference), its datasets and its mixtures."""
    folder, _, name = wildcards.reference_set.rpartition("/")
    if not folder:
        return "dataset", [name], []
    kind = config["indicators"][wildcards.entry]["reference"]
    if kind == "dataset":
        raise WorkflowError(f"indicators.{wildcards.entry} has reference dataset: it has no values for {folder}")
    if folder == "pools":
        return kind, config["pools"][name], []
    return kind, get_block(name)["datasets"], mixture_names(config, [name]) if kind == "mixture" else []


def get_neighbour_inputs(wildcards):
    _, datasets, mixtures = get_reference_set(wildcards)
    inputs = {"embeddings": get_embedding_files(datasets, wildcards.entry)}
    if mixtures:
        inputs["mixtures"] = [f"results/subsets/mixtures/{name}.parquet" for name in mixtures]
    return inputs


def get_neighbour_settings(wildcards):
    """The entry's settings as far as this reference set depends on them; the model's are there for the record."""
    kind = get_reference_set(wildcards)[0]
    unused = ("device", "model_path", *([] if kind == "mixture" else ["reference_size"]))
    settings = {**get_indicator_entry(wildcards.entry), "reference": kind}
    return {key: settings[key] for key in sorted(set(settings) - {*unused})}


def get_neighbour_threads(wildcards):
    return config["indicators"][wildcards.entry]["n_jobs"]


def get_sides(settings):
    """Examples of both sides of preference pairs."""
    return {side: f"results/datasets/{settings[side]}/examples.parquet" for side in ("chosen", "rejected")}


def get_preference_head_inputs(wildcards):
    entry = wildcards.entry
    return {**get_sides(config["indicators"][entry]["preference_head"]), **get_entry_model(entry)}


def get_preference_head_settings(wildcards):
    """The entry's settings without what it scores besides."""
    settings = get_indicator_entry(wildcards.entry)
    return {key: value for key, value in settings.items() if key not in ("outputs", "preference_head_path")}


def get_shards(datasets, wanted):
    """Files of the entries that compute these columns, for these datasets: no other indicator is computed."""
    return [path for entry in entries_for(config, wanted) for path in get_entry_shards(datasets, entry)]


def get_entry_shards(datasets, entry):
    return [
        f"results/indicators/{dataset}/{entry}/{shard}.parquet"
        for dataset in datasets
        for shard in shards(config, dataset, entry)
    ]


def get_indicator_files(datasets, reference_sets, wanted):
    """As get_shards; of entries whose values are not the dataset's alone, the files of the reference sets instead."""
    files = []
    for entry in entries_for(config, wanted):
        if entry in run_entries(config):
            parts = [f"{dataset}-{shard}" for dataset in datasets for shard in shards(config, dataset, entry)]
            files += [f"results/indicators/{name}/{entry}/{part}.parquet" for name in reference_sets for part in parts]
        elif config["indicators"][entry].get("reference", "dataset") == "dataset":
            files += get_entry_shards(datasets, entry)
        else:
            files += [f"results/indicators/{name}/{entry}/000-of-001.parquet" for name in reference_sets]
    return files


def get_dataset_columns(dataset):
    """Indicators of a dataset by itself that something needs: a rule fitted on it, or a strategy that ranks it."""
    wanted = set()
    for name, settings in config["quality_rules"].items():
        if any(dataset in get_block(block)["datasets"] for block in settings.get("mixtures", [])):
            wanted |= set(rule_columns(config, name))
    for strategy, pool in get_rankings():
        if dataset in config["pools"][pool]:
            wanted |= set(strategy_columns(config, strategy))
    return sorted(wanted & {*dataset_columns(config)})


def get_indicator_columns(wildcards):
    return get_dataset_columns(wildcards.dataset)


def get_indicator_shards(wildcards):
    return get_shards([wildcards.dataset], get_dataset_columns(wildcards.dataset))


def get_check_columns(wildcards):
    return dataset_columns(config)


def get_indicator_check_inputs(wildcards):
    sides = config["indicator_check"]
    return {
        **get_sides(sides),
        **{f"{side}_shards": get_shards([sides[side]], dataset_columns(config)) for side in ("chosen", "rejected")},
    }


def get_indicator_check_settings(wildcards):
    return config["indicator_check"]
