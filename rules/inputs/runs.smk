# Inputs and params of rules/runs.smk. Params hold what a result depends on, and no more.

# recipes that train several mixtures in one job; a pattern that nothing matches where there is none
BATCH_RECIPES = "|".join(name for name, recipe in config["recipes"].items() if recipe["runs_per_job"] > 1) or "(?!)"


def get_examples_pattern(wildcards):
    """A function, since Snakemake would take the braces for a wildcard of its own."""
    return "results/datasets/{dataset}/examples.parquet"


def get_recipe(wildcards):
    return {key: value for key, value in config["recipes"][wildcards.recipe].items() if key not in NOT_RESULTS}


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


def get_batch_subsets(wildcards):
    """The mixtures of one job."""
    size, batch = config["recipes"][wildcards.recipe]["runs_per_job"], int(wildcards.batch)
    names = mixture_names(config, [wildcards.block])[batch * size : (batch + 1) * size]
    return [f"results/subsets/mixtures/{name}.parquet" for name in names]


def get_run_batch(wildcards):
    """The job that trains a mixture."""
    block, _, i = wildcards.mixture.rpartition("-")
    batch = int(i) // config["recipes"][wildcards.recipe]["runs_per_job"]
    return f"results/batches/{wildcards.recipe}/{block}-{batch:03d}"


def get_run_in_batch(wildcards):
    return f"{get_run_batch(wildcards)}/{wildcards.mixture}"


def get_run_gpus(wildcards):
    """GPUs of the job; of several nodes a run asks for GPUs a node, as gres."""
    recipe = config["recipes"][wildcards.recipe]
    return recipe["gpus"] if recipe["device"] == "cuda" and recipe["nodes"] == 1 else 0


def get_run_gres(wildcards):
    recipe = config["recipes"][wildcards.recipe]
    return f"gpu:{recipe['gpus']}" if recipe["device"] == "cuda" and recipe["nodes"] > 1 else None


def get_run_nodes(wildcards):
    """Machines. One is said too where GPUs are asked for: Slurm would give them from two."""
    recipe = config["recipes"][wildcards.recipe]
    return recipe["nodes"] if recipe["nodes"] > 1 or recipe["device"] == "cuda" else None


def get_run_tasks(wildcards):
    """One on each of several machines."""
    nodes = config["recipes"][wildcards.recipe]["nodes"]
    return nodes if nodes > 1 else None


def get_run_mpi(wildcards):
    """Of several nodes, the job itself starts a process on each: the executor must not put its own srun around it."""
    return "srun" if get_run_tasks(wildcards) else None


def get_one_run_gpu(wildcards):
    """The GPU of a job that reads a run's model."""
    return 1 if config["recipes"][wildcards.recipe]["device"] == "cuda" else 0


def get_final_evaluations(wildcards):
    """What is known about a search's best run: comparisons that hold it, and the search's own benchmark."""
    own = (wildcards.recipe, f"{wildcards.strategy}/{wildcards.pool}/best-{wildcards.search}")
    names = [config["searches"][wildcards.search]["loss"]]
    for comparison in config["comparisons"]:
        names += [name for *run, name in comparison_evaluations(config, comparison) if tuple(run) == own]
    return [f"results/evaluations/{'/'.join(own)}/{name}.json" for name in dict.fromkeys(names)]


def get_final_quality_rule(wildcards):
    strategy = config["strategies"][strategy_settings(config, wildcards.strategy)[0]]
    return [f"results/quality_rules/{strategy['quality_rule']}.json"] if "quality_rule" in strategy else []
