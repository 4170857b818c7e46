include: "inputs/evaluations.smk"


rule evaluate_loss:
    input:
        model="results/runs/{recipe}/{subset}/model",
        examples=get_benchmark_examples,
    output:
        figures="results/evaluations/{recipe}/{subset}/{benchmark}.json",
        per_item="results/evaluations/{recipe}/{subset}/{benchmark}.items.parquet",
    log:
        "logs/evaluate_loss/{recipe}/{subset}/{benchmark}.log",
    params:
        settings=get_evaluation_settings,
        version=versions.EVALUATIONS["loss"],
    benchmark:
        "results/costs/evaluate_loss/{recipe}/{subset}/{benchmark}.tsv"
    wildcard_constraints:
        benchmark=BENCHMARKS["loss"],
    conda:
        "../envs/models.yaml"
    threads: get_recipe_threads
    resources:
        batch_tokens=get_evaluation_batch_tokens,
        gpu=get_one_run_gpu,
        mem_mb=5000,
    script:
        "../workflow/scripts/evaluate.py"


rule evaluate_llmbar:
    input:
        model="results/runs/{recipe}/{subset}/model",
        examples=get_benchmark_examples,
    output:
        figures="results/evaluations/{recipe}/{subset}/{benchmark}.json",
        per_item="results/evaluations/{recipe}/{subset}/{benchmark}.items.parquet",
    log:
        "logs/evaluate_llmbar/{recipe}/{subset}/{benchmark}.log",
    params:
        settings=get_llmbar_settings,
        version=versions.EVALUATIONS["llmbar"],
    benchmark:
        "results/costs/evaluate_llmbar/{recipe}/{subset}/{benchmark}.tsv"
    wildcard_constraints:
        benchmark=BENCHMARKS["llmbar"],
    conda:
        "../envs/models.yaml"
    threads: get_recipe_threads
    resources:
        batch_tokens=get_evaluation_batch_tokens,
        gpu=get_one_run_gpu,
        mem_mb=5000,
    script:
        "../workflow/scripts/evaluate.py"


rule evaluate_harness:
    input:
        model="results/runs/{recipe}/{subset}/model",
        tasks=get_harness_tasks,
    output:
        figures="results/evaluations/{recipe}/{subset}/{benchmark}.json",
        per_item="results/evaluations/{recipe}/{subset}/{benchmark}.items.parquet",
    log:
        "logs/evaluate_harness/{recipe}/{subset}/{benchmark}.log",
    params:
        settings=get_harness_settings,
        version=versions.EVALUATIONS["harness"],
    benchmark:
        "results/costs/evaluate_harness/{recipe}/{subset}/{benchmark}.tsv"
    wildcard_constraints:
        benchmark=BENCHMARKS["harness"],
    conda:
        "../envs/models.yaml"
    threads: get_recipe_threads
    resources:
        batch_size=get_harness_batch_size,
        gpu=get_one_run_gpu,
        mem_mb=5000,
    script:
        "../workflow/scripts/evaluate.py"


# What a run answers: once for all benchmarks that ask the same in the same way.
rule generate:
    input:
        model="results/runs/{recipe}/{subset}/model",
        examples=get_benchmark_examples,
    output:
        "results/generations/{recipe}/{subset}/{benchmark}.parquet",
    log:
        "logs/generate/{recipe}/{subset}/{benchmark}.log",
    params:
        settings=get_generation_settings,
        version=versions.GENERATIONS,
    benchmark:
        "results/costs/generate/{recipe}/{subset}/{benchmark}.tsv"
    wildcard_constraints:
        benchmark=GENERATED,
    conda:
        "../envs/models.yaml"
    threads: get_recipe_threads
    resources:
        batch_tokens=get_evaluation_batch_tokens,
        gpu=get_one_run_gpu,
        mem_mb=5000,
    script:
        "../workflow/scripts/generate.py"


rule evaluate_ifeval:
    input:
        unpack(get_ifeval_inputs),
    output:
        figures="results/evaluations/{recipe}/{subset}/{benchmark}.json",
        per_item="results/evaluations/{recipe}/{subset}/{benchmark}.items.parquet",
    log:
        "logs/evaluate_ifeval/{recipe}/{subset}/{benchmark}.log",
    params:
        settings=get_ifeval_settings,
        version=versions.EVALUATIONS["ifeval"],
    benchmark:
        "results/costs/evaluate_ifeval/{recipe}/{subset}/{benchmark}.tsv"
    wildcard_constraints:
        benchmark=BENCHMARKS["ifeval"],
    conda:
        "../envs/models.yaml"
    threads: 1
    resources:
        mem_mb=2000,
    script:
        "../workflow/scripts/evaluate.py"


rule evaluate_pairwise:
    input:
        unpack(get_pairwise_inputs),
    output:
        figures="results/evaluations/{recipe}/{subset}/{benchmark}.json",
        per_item="results/evaluations/{recipe}/{subset}/{benchmark}.items.parquet",
    log:
        "logs/evaluate_pairwise/{recipe}/{subset}/{benchmark}.log",
    params:
        settings=get_pairwise_settings,
        version=versions.EVALUATIONS["pairwise"],
    benchmark:
        "results/costs/evaluate_pairwise/{recipe}/{subset}/{benchmark}.tsv"
    wildcard_constraints:
        benchmark=BENCHMARKS["pairwise"],
    conda:
        "../envs/models.yaml"
    threads: get_recipe_threads
    resources:
        batch_tokens=get_pair_batch_tokens,
        gpu=get_pair_gpu,
        judges=get_pair_judges,
        mem_mb=5000,
    script:
        "../workflow/scripts/evaluate.py"
