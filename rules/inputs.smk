# Input functions and params of the rules, in the order the data flow. Params hold what a result depends on, and no more.


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


def get_dataset_settings(wildcards):
    """What the examples of a dataset depend on: all its settings, save how they are split up later."""
    settings = config["datasets"][wildcards.dataset]
    return {key: value for key, value in settings.items() if key != "shards"}


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
    return inputs


# models


def get_model_settings(wildcards):
    settings = config["models"][wildcards.model]
    return {key: value for key, value in settings.items() if value is not None and key != "path"}


def get_model_source(wildcards):
    settings = config["models"][wildcards.model]
    return get_archive(settings) if settings.get("package") else settings["path"]


def needs_preparation(name):
    """Models in a package archive or a GGUF file become a folder first; others are loaded from where they are."""
    settings = config["models"].get(name, {})
    return bool(settings.get("package")) or str(settings.get("path", "")).endswith(".gguf")


def get_model_path(name):
    """What to load: a prepared folder, a local folder, or a hub id."""
    if needs_preparation(name):
        return f"results/models/{name}"
    return config["models"].get(name, {}).get("path", name)


def get_model_input(name):
    return [f"results/models/{name}"] if name and needs_preparation(name) else []


# indicators


def get_indicator_entry(entry):
    """An entry's settings with its columns, where its model and its preference head lie, and what the model is."""
    settings = config["indicators"][entry]
    found = {**settings, "outputs": output_columns(entry, settings)}
    if "model" in settings:
        found["model_path"] = get_model_path(settings["model"])
        model = config["models"].get(settings["model"])
        if model:
            found["model_source"] = f"{model['package']}=={model['version']}" if "package" in model else "local"
    if settings["scorer"] == "causal" and "reward" in found["outputs"]:
        found["preference_head_path"] = f"results/preference_heads/{entry}.json"
    return found


def get_entry_model(entry):
    found = get_model_input(config["indicators"][entry].get("model"))
    return {"model": found} if found else {}


def get_indicator_settings(wildcards):
    return get_indicator_entry(wildcards.entry)


def get_scorer_version(wildcards):
    return versions.SCORERS[config["indicators"][wildcards.entry]["scorer"]]


def get_score_inputs(wildcards):
    head = get_indicator_entry(wildcards.entry).get("preference_head_path")
    return {
        "examples": f"results/datasets/{wildcards.dataset}/examples.parquet",
        **get_entry_model(wildcards.entry),
        **({"preference_head": head} if head else {}),
    }


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
    """Shards of the entries that compute these columns, for these datasets: no other indicator is computed."""
    return [
        f"results/indicators/{dataset}/{entry}/{shard}.parquet"
        for dataset in datasets
        for entry in entries_for(config, wanted)
        for shard in shards(config, dataset, entry)
    ]


def get_dataset_columns(dataset):
    """Indicators of a dataset that something needs: a quality rule fitted on it, or a strategy that ranks it."""
    wanted = set()
    for name, settings in config["quality_rules"].items():
        if any(dataset in get_block(block)["datasets"] for block in settings.get("mixtures", [])):
            wanted |= set(rule_columns(config, name))
    for strategy, pool in get_rankings():
        if dataset in config["pools"][pool]:
            wanted |= set(strategy_columns(config, strategy))
    return sorted(wanted)


def get_indicator_columns(wildcards):
    return get_dataset_columns(wildcards.dataset)


def get_indicator_shards(wildcards):
    return get_shards([wildcards.dataset], get_dataset_columns(wildcards.dataset))


def get_check_columns(wildcards):
    return list(columns(config))


def get_indicator_check_inputs(wildcards):
    sides = config["indicator_check"]
    return {
        **get_sides(sides),
        **{f"{side}_shards": get_shards([sides[side]], columns(config)) for side in ("chosen", "rejected")},
    }


def get_indicator_check_settings(wildcards):
    return config["indicator_check"]


# mixtures and quality rules


def get_block(name):
    return next(block for block in config["mixtures"] if block["name"] == name)


def get_mixture_examples(wildcards):
    return get_examples(get_block(wildcards.block)["datasets"])


def get_mixture_block(wildcards):
    """What a mixture depends on: not on how many more there are."""
    block = get_block(wildcards.block)
    return {key: block[key] for key in ("datasets", "size", "seed")}


def get_quality_rule_inputs(wildcards):
    settings = config["quality_rules"][wildcards.quality_rule]
    if "preset" in settings:
        return {}
    if "observations" in settings:
        return {"observations": settings["observations"]}
    names = mixture_names(config, settings["mixtures"])
    datasets = dict.fromkeys(dataset for block in settings["mixtures"] for dataset in get_block(block)["datasets"])
    evaluation = f"results/evaluations/{settings['recipe']}/mixtures/{{}}/{settings['loss']}.json"
    return {
        "mixtures": [f"results/subsets/mixtures/{name}.parquet" for name in names],
        "evaluations": [evaluation.format(name) for name in names],
        "indicators": get_shards(datasets, rule_columns(config, wildcards.quality_rule)),
    }


def get_quality_rule_settings(wildcards):
    """The rule's config; of an observations file the name alone: its content is an input, its folder is nobody's."""
    settings = config["quality_rules"][wildcards.quality_rule]
    if "observations" in settings:
        return {**settings, "observations": Path(settings["observations"]).name}
    return settings


def get_quality_rule_columns(wildcards):
    return rule_columns(config, wildcards.quality_rule)


# rankings and subsets


def get_pool_datasets(wildcards):
    return config["pools"][wildcards.pool]


def get_ranking_inputs(wildcards):
    settings = get_ranking_settings(wildcards)
    datasets = config["pools"][wildcards.pool]
    inputs = {"examples": get_examples(datasets), "indicators": get_shards(datasets, get_ranking_columns(wildcards))}
    if settings["kind"] == "quality_rule":
        inputs["quality_rule"] = f"results/quality_rules/{settings['quality_rule']}.json"
    return inputs


def get_ranking_settings(wildcards):
    return strategy_settings(config, wildcards.ranking)[1]


def get_ranking_columns(wildcards):
    return strategy_columns(config, wildcards.ranking)


def get_ranking_version(wildcards):
    return versions.STRATEGIES[get_ranking_settings(wildcards)["kind"]]


def get_subset_inputs(wildcards):
    inputs = {"ranking": f"results/rankings/{wildcards.ranking}/{wildcards.pool}.parquet"}
    if wildcards.size.startswith("best-"):
        inputs["search"] = f"results/searches/{wildcards.size.removeprefix('best-')}.json"
    return inputs


# runs and evaluations


def get_examples_pattern(wildcards):
    """A function, since Snakemake would take the braces for a wildcard of its own."""
    return "results/datasets/{dataset}/examples.parquet"


# how a run is started and watched: not what comes out of it
_NOT_RESULTS = ("checkpoint_minutes", "threads")


def get_recipe(wildcards):
    return {key: value for key, value in config["recipes"][wildcards.recipe].items() if key not in _NOT_RESULTS}


def get_checkpoint_minutes(wildcards):
    return config["recipes"][wildcards.recipe]["checkpoint_minutes"]


def get_recipe_model(wildcards):
    return get_model_input(config["recipes"][wildcards.recipe]["model"])


def get_recipe_model_path(wildcards):
    return get_model_path(config["recipes"][wildcards.recipe]["model"])


def get_recipe_threads(wildcards):
    return config["recipes"][wildcards.recipe]["threads"]


def get_benchmark_examples(wildcards):
    return f"results/datasets/{config['benchmarks'][wildcards.benchmark]['dataset']}/examples.parquet"


def get_evaluation_settings(wildcards):
    """A run is evaluated with its recipe's prompt, precision and device."""
    recipe, benchmark = config["recipes"][wildcards.recipe], config["benchmarks"][wildcards.benchmark]
    return {
        **{key: recipe[key] for key in ("template", "max_prompt_length", "precision", "device")},
        **{key: benchmark[key] for key in ("dataset", "max_length", "batch_tokens")},
    }


def get_final_evaluations(wildcards):
    """What is known about a search's best run: comparisons that hold it, and the search's own benchmark."""
    run = f"{wildcards.recipe}/{wildcards.strategy}/{wildcards.pool}/best-{wildcards.search}"
    names = [config["searches"][wildcards.search]["loss"]]
    for name, settings in config["comparisons"].items():
        names += settings["benchmarks"] if run.split("/", 1)[1] in comparison_subsets(config, name) else []
    return [f"results/evaluations/{run}/{name}.json" for name in dict.fromkeys(names)]


def get_final_quality_rule(wildcards):
    strategy = config["strategies"][strategy_settings(config, wildcards.strategy)[0]]
    return [f"results/quality_rules/{strategy['quality_rule']}.json"] if "quality_rule" in strategy else []


# searches


def get_search_files(name, proposed, evaluated):
    """The proposals of the trials `proposed` and the evaluations of the trials `evaluated`."""
    settings = config["searches"][name]
    evaluation = f"results/evaluations/{settings['recipe']}/searches/{name}/{{:03d}}/{settings['loss']}.json"
    return {
        "proposals": [f"results/searches/{name}/trials/{t:03d}.json" for t in proposed],
        "evaluations": [evaluation.format(t) for t in evaluated],
    }


def get_proposal_inputs(wildcards):
    trial = int(wildcards.t)
    known = search.told(trial, config["searches"][wildcards.search]["parallel"])
    return get_search_files(wildcards.search, range(trial), known)


def get_proposal_settings(wildcards):
    """What a proposal depends on: not on how many trials there are."""
    settings = config["searches"][wildcards.search]
    return {key: settings[key] for key in ("low", "high", "parallel", "seed")}


def get_search_trials(wildcards):
    trials = range(config["searches"][wildcards.search]["trials"])
    return get_search_files(wildcards.search, trials, trials)


def get_search_settings(wildcards):
    return config["searches"][wildcards.search]


def get_search_strategy(wildcards):
    return config["searches"][wildcards.search]["strategy"]


def get_search_pool(wildcards):
    return config["searches"][wildcards.search]["pool"]


def get_search_ranking(wildcards):
    settings = config["searches"][wildcards.search]
    return f"results/rankings/{settings['strategy']}/{settings['pool']}.parquet"


# report


def get_random_strategies(wildcards):
    return [name for name, settings in config["strategies"].items() if settings["kind"] == "random"]


def get_selection_benchmarks(wildcards):
    """Benchmarks that a quality rule was fitted on or a search looked at; no longer a test of what they selected."""
    used = [*config["quality_rules"].values(), *config["searches"].values()]
    return sorted({settings["loss"] for settings in used if "loss" in settings})


def get_final_models(wildcards):
    return [f"results/runs/{s['recipe']}/{get_best_subset(name)}/model" for name, s in config["searches"].items()]


def get_number_of_examples(wildcards):
    return config["report"]["examples"]


def get_summaries(datasets):
    return [f"results/datasets/{dataset}/summary.json" for dataset in datasets]


def get_all_summaries(wildcards):
    return get_summaries(config["datasets"])


def get_pool_summaries(wildcards):
    return get_summaries(config["pools"][wildcards.pool])


def get_pool_examples(wildcards):
    return get_examples(config["pools"][wildcards.pool])


def get_pool_indicator_tables(wildcards):
    return [f"results/indicators/{dataset}.parquet" for dataset in config["pools"][wildcards.pool]]


def get_indicator_datasets():
    """Datasets that a quality rule is fitted on, or that it ranks."""
    blocks = [block for s in config["quality_rules"].values() for block in s.get("mixtures", [])]
    found = [dataset for block in blocks for dataset in get_block(block)["datasets"]]
    found += [dataset for _, pool in get_shown_rankings() for dataset in config["pools"][pool]]
    return list(dict.fromkeys(found))


def get_all_indicator_tables(wildcards):
    return [f"results/indicators/{dataset}.parquet" for dataset in get_indicator_datasets()]


def get_indicator_check(wildcards):
    return ["results/indicator_check.json"] if config.get("indicator_check") else []


def get_all_quality_rules(wildcards):
    return [f"results/quality_rules/{name}.json" for name in config["quality_rules"]]


def get_all_observations(wildcards):
    return [f"results/quality_rules/{name}/observations.csv" for name in config["quality_rules"]]


def get_all_searches(wildcards):
    return [f"results/searches/{name}.json" for name in config["searches"]]


def get_all_comparison_tables(wildcards):
    return [f"results/tables/{name}.csv" for name in config["comparisons"]]


def get_all_example_tables(wildcards):
    return [f"results/tables/examples/{strategy}/{pool}.csv" for strategy, pool in get_shown_rankings()]


def get_evaluations_by_comparison(wildcards):
    return {name: get_comparison_files(name, "evaluations", ".json") for name in config["comparisons"]}


def get_all_comparison_evaluations(wildcards):
    files = [path for paths in get_evaluations_by_comparison(wildcards).values() for path in paths]
    return list(dict.fromkeys(files))


def get_all_comparison_subsets(wildcards):
    subsets = [subset for name in config["comparisons"] for subset in comparison_subsets(config, name)]
    return [f"results/subsets/{subset}.parquet" for subset in dict.fromkeys(subsets)]


def get_comparison_evaluations(wildcards):
    return get_comparison_files(wildcards.comparison, "evaluations", ".json")


def get_comparison_items(wildcards):
    return get_comparison_files(wildcards.comparison, "evaluations", ".items.parquet")


def get_comparison_subset_files(wildcards):
    return [f"results/subsets/{subset}.parquet" for subset in comparison_subsets(config, wildcards.comparison)]


def get_all_runs(wildcards):
    """train.json of every run of the study."""
    runs = []
    for settings in config["quality_rules"].values():
        names = mixture_names(config, settings.get("mixtures", []))
        runs += [f"{settings['recipe']}/mixtures/{name}" for name in names]
    for name, settings in config["searches"].items():
        runs += [f"{settings['recipe']}/searches/{name}/{t:03d}" for t in range(settings["trials"])]
        runs.append(f"{settings['recipe']}/{get_best_subset(name)}")
    for name, settings in config["comparisons"].items():
        runs += [f"{recipe}/{subset}" for recipe in settings["recipes"] for subset in comparison_subsets(config, name)]
    return [f"results/runs/{run}/train.json" for run in dict.fromkeys(runs)]
