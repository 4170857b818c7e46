# Inputs and params of rules/rankings.smk. Params hold what a result depends on, and no more.


# orders that compare vectors; a pattern that nothing matches where there are none
EMBEDDING_STRATEGIES = "|".join(name for name in config["strategies"] if strategy_embeddings(config, name)) or "(?!)"


def get_pool_datasets(wildcards):
    return config["pools"][wildcards.pool]


def get_pool_summaries(wildcards):
    return get_summaries(config["pools"][wildcards.pool])


def get_ranking_inputs(wildcards):
    settings = get_ranking_settings(wildcards)
    inputs = {
        "examples": get_examples(config["pools"][wildcards.pool]),
        "indicators": get_ranking_indicators(wildcards.pool, get_ranking_columns(wildcards)),
    }
    if settings["kind"] == "quality_rule":
        inputs["quality_rule"] = f"results/quality_rules/{settings['quality_rule']}.json"
    if entry := strategy_embeddings(config, wildcards.ranking):
        inputs["embeddings"] = get_embedding_files(config["pools"][wildcards.pool], entry)
    if orders := against_orders(config, wildcards.ranking):
        inputs["against"] = [f"results/rankings/{order}/{wildcards.pool}.parquet" for order in orders]
    return inputs


def get_ranking_indicators(pool, wanted):
    """Indicator files that a ranking of a pool by these columns reads."""
    return get_indicator_files(config["pools"][pool], [f"pools/{pool}"], wanted)


def get_ranking_settings(wildcards):
    return strategy_settings(config, wildcards.ranking)[1]


def get_ranking_columns(wildcards):
    return strategy_columns(config, wildcards.ranking)


def get_ranking_version(wildcards):
    """Of the strategy, and of what all strategies share."""
    return [versions.STRATEGIES[get_ranking_settings(wildcards)["kind"]], versions.RANKINGS]


def get_subset_inputs(wildcards):
    inputs = {"ranking": f"results/rankings/{wildcards.ranking}/{wildcards.pool}.parquet"}
    if wildcards.size.startswith("best-"):
        inputs["search"] = f"results/searches/{wildcards.size.removeprefix('best-')}.json"
    return inputs
