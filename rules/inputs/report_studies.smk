# Inputs and params of rules/report_studies.smk. Params hold what a result depends on, and no more.


def get_study_evaluations(wildcards):
    return get_comparison_files(wildcards.study, "evaluations", ".json")


def get_study_items(wildcards):
    return get_comparison_files(wildcards.study, "evaluations", ".items.parquet")


def get_study_subsets(wildcards):
    return [f"results/subsets/{subset}.parquet" for subset in comparison_subsets(config, wildcards.study)]


def get_study_strategy(wildcards):
    return config["studies"][wildcards.study]["strategy"]


def get_ablated(wildcards):
    """Quality rule, and strategy, that lacks an indicator -> that indicator."""
    return ablated(config, wildcards.study)


def get_ablation_rules(wildcards):
    """The full rule and then those without an indicator."""
    full = config["strategies"][get_study_strategy(wildcards)]["quality_rule"]
    return [f"results/quality_rules/{name}.json" for name in [full, *get_ablated(wildcards)]]


def get_repeated_recipes(wildcards):
    """Recipe of a run -> the recipe that it repeats with another seed, or itself."""
    return repeated_recipes(config, wildcards.study)


def get_study_datasets(wildcards):
    """Pool -> the one dataset in it."""
    return dataset_pools(config, wildcards.study)
