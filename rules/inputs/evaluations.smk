# Inputs and params of rules/evaluations.smk. Params hold what a result depends on, and no more.


def get_benchmark_examples(wildcards):
    return f"results/datasets/{config['benchmarks'][wildcards.benchmark]['dataset']}/examples.parquet"


def get_evaluation_settings(wildcards):
    """A run is evaluated with its recipe's prompt, precision and device."""
    recipe, benchmark = config["recipes"][wildcards.recipe], config["benchmarks"][wildcards.benchmark]
    return {
        **get_recipe_record(wildcards),
        **{key: recipe[key] for key in ("template", "max_prompt_length", "precision", "device")},
        **{key: benchmark[key] for key in ("dataset", "max_length", "min_share_used")},
    }


def get_evaluation_batch_tokens(wildcards):
    return config["benchmarks"][wildcards.benchmark]["batch_tokens"]
