# a rule for every kind that reads a run's model and a dataset, and nothing else: evaluate_loss, evaluate_llmbar, …
for kind in evaluations.plain_kinds():

    rule:
        name:
            f"evaluate_{kind}"
        input:
            unpack(of(evaluations.plain_inputs)),
        output:
            figures=paths.EVALUATION,
            per_item=paths.ITEMS,
        log:
            paths.log(f"evaluate_{kind}/{{recipe}}/{{subset}}/{{benchmark}}"),
        params:
            settings=of(evaluations.plain_settings),
            version=versions.EVALUATIONS[kind],
        benchmark:
            paths.cost(f"evaluate_{kind}/{{recipe}}/{{subset}}/{{benchmark}}")
        wildcard_constraints:
            benchmark=evaluations.benchmarks_of(config, kind),
        conda:
            "../envs/models.yaml"
        threads: of(runs.recipe_threads)
        resources:
            batch_tokens=of(evaluations.batch_tokens),
            gpu=of(runs.one_gpu),
            mem_mb=5000,
        script:
            "../workflow/scripts/evaluate.py"


rule evaluate_harness:
    input:
        model=paths.WEIGHTS,
        tasks=of(evaluations.harness_tasks),
    output:
        figures=paths.EVALUATION,
        per_item=paths.ITEMS,
    log:
        paths.log("evaluate_harness/{recipe}/{subset}/{benchmark}"),
    params:
        settings=of(evaluations.harness_settings),
        version=versions.EVALUATIONS["harness"],
    benchmark:
        paths.cost("evaluate_harness/{recipe}/{subset}/{benchmark}")
    wildcard_constraints:
        benchmark=evaluations.benchmarks_of(config, "harness"),
    conda:
        "../envs/models.yaml"
    threads: of(runs.recipe_threads)
    resources:
        batch_size=of(evaluations.harness_batch_size),
        gpu=of(runs.one_gpu),
        mem_mb=5000,
    script:
        "../workflow/scripts/evaluate.py"


# What a run answers: once for all benchmarks that ask the same in the same way.
rule generate:
    input:
        model=paths.WEIGHTS,
        examples=of(evaluations.benchmark_examples),
    output:
        paths.GENERATIONS,
    log:
        paths.log("generate/{recipe}/{subset}/{benchmark}"),
    params:
        settings=of(evaluations.generation_settings),
        version=versions.GENERATIONS,
    benchmark:
        paths.cost("generate/{recipe}/{subset}/{benchmark}")
    wildcard_constraints:
        benchmark=evaluations.generated(config),
    conda:
        "../envs/models.yaml"
    threads: of(runs.recipe_threads)
    resources:
        batch_tokens=of(evaluations.batch_tokens),
        gpu=of(runs.one_gpu),
        mem_mb=5000,
    script:
        "../workflow/scripts/generate.py"


rule evaluate_ifeval:
    input:
        unpack(of(evaluations.ifeval_inputs)),
    output:
        figures=paths.EVALUATION,
        per_item=paths.ITEMS,
    log:
        paths.log("evaluate_ifeval/{recipe}/{subset}/{benchmark}"),
    params:
        settings=of(evaluations.ifeval_settings),
        version=versions.EVALUATIONS["ifeval"],
    benchmark:
        paths.cost("evaluate_ifeval/{recipe}/{subset}/{benchmark}")
    wildcard_constraints:
        benchmark=evaluations.benchmarks_of(config, "ifeval"),
    conda:
        "../envs/models.yaml"
    threads: 1
    resources:
        mem_mb=2000,
    script:
        "../workflow/scripts/evaluate.py"


rule evaluate_pairwise:
    input:
        unpack(of(pairwise.pairwise_inputs)),
    output:
        figures=paths.EVALUATION,
        per_item=paths.ITEMS,
    log:
        paths.log("evaluate_pairwise/{recipe}/{subset}/{benchmark}"),
    params:
        settings=of(pairwise.pairwise_settings),
        version=versions.EVALUATIONS["pairwise"],
    benchmark:
        paths.cost("evaluate_pairwise/{recipe}/{subset}/{benchmark}")
    wildcard_constraints:
        benchmark=evaluations.benchmarks_of(config, "pairwise"),
    conda:
        "../envs/models.yaml"
    threads: of(runs.recipe_threads)
    resources:
        batch_tokens=of(pairwise.judge_batch_tokens),
        gpu=of(pairwise.judge_gpu),
        judges=of(pairwise.judge_places),
        mem_mb=5000,
    script:
        "../workflow/scripts/evaluate.py"
