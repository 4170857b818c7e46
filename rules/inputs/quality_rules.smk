# Inputs and params of rules/quality_rules.smk. Params hold what a result depends on, and no more.


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
