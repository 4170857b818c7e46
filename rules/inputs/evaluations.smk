# Inputs and params of rules/evaluations.smk. Params hold what a result depends on, and no more.

# of a run, and of how it is asked
_RUN_KEYS = ("template", "max_prompt_length", "precision", "device")
_HARNESS_KEYS = (
    "preset",
    "tasks",
    "few_shot",
    "include_path",
    "limit",
    "seed",
    "prompt",
    "max_length",
    "min_share_used",
)
# benchmarks of each kind, as patterns; those of a kind that there is none of match nothing
_BY_KIND = {
    kind: [name for name, s in config["benchmarks"].items() if s["kind"] == kind] for kind in versions.EVALUATIONS
}
BENCHMARKS = {kind: "|".join(names) or "(?!)" for kind, names in _BY_KIND.items()}
GENERATED = "|".join(generation_owners(config)) or "(?!)"


def get_benchmark(wildcards):
    return config["benchmarks"][wildcards.benchmark]


def get_benchmark_examples(wildcards):
    return f"results/datasets/{get_benchmark(wildcards)['dataset']}/examples.parquet"


def get_run_settings(wildcards):
    """A run is evaluated with its recipe's prompt, precision and device."""
    recipe = config["recipes"][wildcards.recipe]
    return {**get_recipe_record(wildcards), **{key: recipe[key] for key in _RUN_KEYS}}


def get_settings_of(wildcards, *keys):
    """Those of the run, and the benchmark's own as far as it has them."""
    benchmark = get_benchmark(wildcards)
    return {**get_run_settings(wildcards), **{key: benchmark[key] for key in keys if key in benchmark}}


def get_evaluation_settings(wildcards):
    return get_settings_of(wildcards, "dataset", "max_length", "min_share_used")


def get_harness_settings(wildcards):
    return get_settings_of(wildcards, *_HARNESS_KEYS)


def get_llmbar_settings(wildcards):
    return get_settings_of(wildcards, "dataset", "answer", "max_length", "min_share_used")


def get_generation_settings(wildcards):
    benchmark = get_benchmark(wildcards)
    return {**get_run_settings(wildcards), "dataset": benchmark["dataset"], **benchmark["generation"]}


def get_evaluation_batch_tokens(wildcards):
    return get_benchmark(wildcards)["batch_tokens"]


def get_harness_batch_size(wildcards):
    """Requests a forward pass; 0 stands for auto, since a resource is a whole number."""
    size = get_benchmark(wildcards)["batch_size"]
    return 0 if size == "auto" else size


def get_harness_tasks(wildcards):
    """Task files of the user's own. A folder that is not there is no input: the job says so."""
    folder = get_benchmark(wildcards)["include_path"]
    return sorted(str(path) for path in Path(folder).rglob("*") if path.is_file()) if folder else []


def get_generations(run, benchmark):
    return f"results/generations/{run}/{generation_owner(config, benchmark)}.parquet"


def get_own_generations(wildcards):
    return get_generations(f"{wildcards.recipe}/{wildcards.subset}", wildcards.benchmark)


def get_ifeval_inputs(wildcards):
    """Prompts, answers, and the sentence model where it comes from section models."""
    data = get_benchmark(wildcards)["nltk_data"]
    return {
        "examples": get_benchmark_examples(wildcards),
        "generations": get_own_generations(wildcards),
        **({"nltk_data": get_model_input(data)} if data in config["models"] else {}),
    }


def get_ifeval_settings(wildcards):
    benchmark = get_benchmark(wildcards)
    data = benchmark["nltk_data"]
    return {
        **{key: benchmark[key] for key in ("dataset", "min_share_used")},
        **{key: benchmark["generation"][key] for key in sorted(benchmark["generation"])},
        "nltk_data": get_model_path(data) if data else None,
    }


def get_against_runs(wildcards):
    """Whose answers this run's are set against: none for the reference answers."""
    runs = against_runs(config, wildcards.benchmark, wildcards.recipe, wildcards.subset)
    if runs is None:
        run = f"{wildcards.recipe}/{wildcards.subset}"
        raise WorkflowError(f"benchmarks.{wildcards.benchmark} has nothing to set against run {run}")
    return runs


def get_pairwise_inputs(wildcards):
    judge = get_benchmark(wildcards)["judge"]
    return {
        "examples": get_benchmark_examples(wildcards),
        "ours": get_own_generations(wildcards),
        "theirs": [get_generations(run, wildcards.benchmark) for run in get_against_runs(wildcards)],
        **({"judge": get_model_input(judge["model"])} if judge["backend"] == "local" else {}),
        **get_pair_prompt(get_benchmark(wildcards)["prompt"]),
    }


def get_pair_prompt(prompt):
    """A prompt file. One that is not there is no input: the job that reads it says so."""
    return {"prompt": prompt} if Path(prompt).is_file() else {}


def get_pair_judge(settings):
    """A judge's settings without how it is called, where its model lies, and what that is."""
    found = {key: value for key, value in settings.items() if key not in _NOT_VALUES}
    # sorted: Snakemake compares params as text
    found["request"] = dict(sorted(settings["request"].items()))
    if settings["backend"] == "api":
        return {**found, "model_record": {"model": settings["model"]}}
    record = get_model_record(settings["model"], settings["revision"])
    return {**found, "model_path": get_model_path(settings["model"]), "model_record": record}


def get_pairwise_settings(wildcards):
    benchmark = get_benchmark(wildcards)
    return {
        **{key: benchmark[key] for key in ("dataset", "against", "prompt", "min_share_used")},
        "judge": get_pair_judge(benchmark["judge"]),
        "generation": benchmark["generation"],
        "runs": get_against_runs(wildcards),
    }


def get_pair_batch_tokens(wildcards):
    return get_benchmark(wildcards)["judge"].get("batch_tokens", 0)


def get_pair_gpu(wildcards):
    return int(get_benchmark(wildcards)["judge"].get("device") == "cuda")


def get_pair_judges(wildcards):
    """Places at the endpoint that a job takes, as for an indicator's judge."""
    return int(get_benchmark(wildcards)["judge"]["backend"] == "api")
