include: "inputs/runs.smk"


# One rule trains. Its runs' weights are temporary; `finetune_kept` is the same rule for the runs that keep theirs.
rule finetune:
    input:
        subsets=["results/subsets/{subset}.parquet"],
        model=get_recipe_model,
    output:
        train="results/runs/{recipe}/{subset}/train.json",
        model=temp(directory("results/runs/{recipe}/{subset}/model")),
    log:
        "logs/finetune/{recipe}/{subset}.log",
    params:
        recipe=get_recipe,
        model_path=get_recipe_model_path,
        model_record=get_recipe_record,
        version=versions.TRAINER,
        # not an input: a run depends on the examples that its subset names, not on the rest of their datasets
        examples=get_examples_pattern,
        work="results/.work/runs/{recipe}",
    benchmark:
        "results/costs/finetune/{recipe}/{subset}.tsv"
    conda:
        "../envs/models.yaml"
    threads: get_recipe_threads
    resources:
        checkpoint_seconds=get_checkpoint_seconds,
        gpu=get_run_gpus,
        gres=get_run_gres,
        mem_mb=5000,
        mpi=get_run_mpi,
        nodes=get_run_nodes,
        tasks=get_run_tasks,
        # else Slurm would start so many tasks a GPU
        tasks_per_gpu=0,
    script:
        "../workflow/scripts/finetune.py"


use rule finetune as finetune_kept with:
    output:
        train="results/runs/{recipe}/{subset}/train.json",
        model=directory("results/runs/{recipe}/{subset}/model"),
    wildcard_constraints:
        subset=KEPT_SUBSETS,


# A recipe with runs_per_job: one job trains several mixtures in turn, the base weights kept in memory. What it leaves is
# taken into each run's own folder, and is temporary itself.
use rule finetune as finetune_mixtures with:
    input:
        subsets=get_batch_subsets,
        model=get_recipe_model,
    output:
        temp(directory("results/batches/{recipe}/{block}-{batch}")),
    log:
        "logs/finetune_mixtures/{recipe}/{block}-{batch}.log",
    benchmark:
        "results/costs/finetune_mixtures/{recipe}/{block}-{batch}.tsv"


rule take_run:
    input:
        get_run_batch,
    output:
        train="results/runs/{recipe}/mixtures/{mixture}/train.json",
        model=temp(directory("results/runs/{recipe}/mixtures/{mixture}/model")),
        cost="results/costs/finetune/{recipe}/mixtures/{mixture}.tsv",
    log:
        "logs/take_run/{recipe}/mixtures/{mixture}.log",
    params:
        run=get_run_in_batch,
    wildcard_constraints:
        recipe=BATCH_RECIPES,
        mixture=r"[a-z0-9_]+-\d+",
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/take_run.py"


ruleorder: take_run > finetune_kept > finetune


rule describe_model:
    input:
        subset="results/subsets/{strategy}/{pool}/best-{search}.parquet",
        train="results/runs/{recipe}/{strategy}/{pool}/best-{search}/train.json",
        search="results/searches/{search}.json",
        evaluations=get_final_evaluations,
        quality_rule=get_final_quality_rule,
        summaries=get_pool_summaries,
    output:
        card="results/runs/{recipe}/{strategy}/{pool}/best-{search}/README.md",
        parquet="results/runs/{recipe}/{strategy}/{pool}/best-{search}/subset.parquet",
        jsonl="results/runs/{recipe}/{strategy}/{pool}/best-{search}/subset.jsonl",
    log:
        "logs/describe_model/{recipe}/{strategy}/{pool}/best-{search}.log",
    params:
        examples=get_examples_pattern,
        base=get_base_model,
        pool=get_pool_datasets,
        version=versions.CARDS,
    benchmark:
        "results/costs/describe_model/{recipe}/{strategy}/{pool}/best-{search}.tsv"
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/describe_model.py"
