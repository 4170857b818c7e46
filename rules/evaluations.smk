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
    conda:
        "../envs/models.yaml"
    threads: get_recipe_threads
    resources:
        batch_tokens=get_evaluation_batch_tokens,
        gpu=get_one_run_gpu,
        mem_mb=5000,
    script:
        "../workflow/scripts/evaluate_loss.py"
