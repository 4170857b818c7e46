# Inputs and params of rules/report_data.smk. Params hold what a result depends on, and no more.


def get_indicator_datasets():
    """Datasets that a quality rule is fitted on, or that it ranks."""
    blocks = [block for s in config["quality_rules"].values() for block in s.get("mixtures", [])]
    found = [dataset for block in blocks for dataset in get_block(block)["datasets"]]
    found += [dataset for _, pool in get_shown_rankings() for dataset in config["pools"][pool]]
    return list(dict.fromkeys(found))


def get_all_indicator_tables(wildcards):
    return [f"results/indicators/{dataset}.parquet" for dataset in get_indicator_datasets()]


def get_all_neighbour_files(wildcards):
    """Files by neighbours that the pages' datasets, quality rules and rankings by them read."""
    files = [path for name in get_indicator_datasets() for path in get_shards([name], get_dataset_columns(name))]
    for name, settings in config["quality_rules"].items():
        files += get_rule_indicators(name) if "mixtures" in settings else []
    for strategy, pool in get_shown_rankings():
        files += get_ranking_indicators(pool, strategy_columns(config, strategy))
    entries = neighbour_entries(config)
    return [path for path in dict.fromkeys(files) if Path(path).parent.name in entries]


def get_all_run_scores(wildcards):
    """Files of indicators that a run on a pool scores."""
    files = [path for strategy, pool in get_rankings() for path in get_strategy_run_scores(strategy, pool)]
    return list(dict.fromkeys(files))


def get_strategy_run_scores(strategy, pool):
    wanted = set(strategy_columns(config, strategy)) - {*dataset_columns(config)}
    return get_ranking_indicators(pool, wanted)


def get_indicator_check(wildcards):
    return ["results/indicator_check.json"] if config.get("indicator_check") else []


def get_pool_examples(wildcards):
    return get_examples(config["pools"][wildcards.pool])


def get_pool_indicator_tables(wildcards):
    return [f"results/indicators/{dataset}.parquet" for dataset in config["pools"][wildcards.pool]]


def get_number_of_examples(wildcards):
    return config["report"]["examples"]


def get_all_summaries(wildcards):
    return get_summaries(config["datasets"])
