include: "inputs/runs.smk"


# One rule trains. Its runs' weights are temporary; `finetune_kept` is the same rule for the runs that keep theirs.
rule finetune:
    input:
        subset="results/subsets/{subset}.parquet",
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
        work="results/.work/runs/{recipe}/{subset}",
    benchmark:
        "results/costs/finetune/{recipe}/{subset}.tsv"
    conda:
        "../envs/models.yaml"
    threads: get_recipe_threads
    resources:
        mem_mb=5000,
        checkpoint_seconds=get_checkpoint_seconds,
    script:
        "../workflow/scripts/finetune.py"


use rule finetune as finetune_kept with:
    output:
        train="results/runs/{recipe}/{subset}/train.json",
        model=directory("results/runs/{recipe}/{subset}/model"),
    wildcard_constraints:
        subset=KEPT_SUBSETS,


ruleorder: finetune_kept > finetune


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
    benchmark:
        "results/costs/describe_model/{recipe}/{strategy}/{pool}/best-{search}.tsv"
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/describe_model.py"
