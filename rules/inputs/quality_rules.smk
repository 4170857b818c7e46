# Inputs and params of rules/quality_rules.smk. Params hold what a result depends on, and no more.


def get_quality_rule_inputs(wildcards):
    settings = config["quality_rules"][wildcards.quality_rule]
    if "preset" in settings:
        return {}
    if "observations" in settings:
        # a table that is not there is no input: the study plans without it, and the job that reads it says so
        there = Path(settings["observations"]).exists()
        return {"observations": settings["observations"]} if there else {}
    names = mixture_names(config, settings["mixtures"])
    evaluation = f"results/evaluations/{settings['recipe']}/mixtures/{{}}/{settings['loss']}.json"
    return {
        "mixtures": [f"results/subsets/mixtures/{name}.parquet" for name in names],
        "evaluations": [evaluation.format(name) for name in names],
        "indicators": get_rule_indicators(wildcards.quality_rule),
    }


def get_rule_indicators(quality_rule):
    """Indicator files that a rule fitted on mixtures reads."""
    blocks = config["quality_rules"][quality_rule]["mixtures"]
    datasets = dict.fromkeys(dataset for block in blocks for dataset in get_block(block)["datasets"])
    sets = [f"mixtures/{block}" for block in blocks]
    return get_indicator_files(datasets, sets, rule_columns(config, quality_rule))


def get_quality_rule_settings(wildcards):
    """What a rule depends on; of an observations file the name alone, since its content is an input."""
    settings = config["quality_rules"][wildcards.quality_rule]
    settings = {key: value for key, value in settings.items() if key != "against"}
    if "observations" in settings:
        return {**settings, "observations": Path(settings["observations"]).name}
    return settings


def get_quality_rule_columns(wildcards):
    return rule_columns(config, wildcards.quality_rule)
