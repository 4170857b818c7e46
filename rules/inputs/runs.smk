# Inputs and params of rules/runs.smk. Params hold what a result depends on, and no more.


def get_examples_pattern(wildcards):
    """A function, since Snakemake would take the braces for a wildcard of its own."""
    return "results/datasets/{dataset}/examples.parquet"


# how a run is started and watched: not what comes out of it
_NOT_RESULTS = ("checkpoint_minutes", "threads")


def get_recipe(wildcards):
    return {key: value for key, value in config["recipes"][wildcards.recipe].items() if key not in _NOT_RESULTS}


def get_recipe_record(wildcards):
    recipe = config["recipes"][wildcards.recipe]
    return get_model_record(recipe["model"], recipe["revision"])


def get_base_model(wildcards):
    """Where the base model of a recipe comes from, and its licence."""
    model = config["models"].get(config["recipes"][wildcards.recipe]["model"], {})
    return {"origin": model.get("origin"), "licence": model.get("licence"), **get_recipe_record(wildcards)}


def get_checkpoint_seconds(wildcards):
    """Seconds, since a resource is a whole number."""
    return round(60 * config["recipes"][wildcards.recipe]["checkpoint_minutes"])


def get_recipe_model(wildcards):
    return get_model_input(config["recipes"][wildcards.recipe]["model"])


def get_recipe_model_path(wildcards):
    return get_model_path(config["recipes"][wildcards.recipe]["model"])


def get_recipe_threads(wildcards):
    return config["recipes"][wildcards.recipe]["threads"]


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
