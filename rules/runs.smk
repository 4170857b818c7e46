# One rule trains. Its runs' weights are temporary; `finetune_kept` is the same rule for the runs that keep theirs.
rule finetune:
    input:
        subsets=[paths.SUBSET],
        model=of(runs.recipe_model),
    output:
        train=paths.TRAINED,
        model=temp(directory(paths.WEIGHTS)),
    log:
        paths.log("finetune/{recipe}/{subset}"),
    params:
        recipe=of(runs.recipe),
        model_path=of(runs.recipe_model_path),
        model_record=of(runs.recipe_model_record),
        version=versions.TRAINER,
        # not an input: a run depends on the examples that its subset names, not on the rest of their datasets
        examples=of(runs.examples_pattern),
        work=paths.RUN_WORK,
    benchmark:
        paths.cost("finetune/{recipe}/{subset}")
    conda:
        "../envs/models.yaml"
    threads: of(runs.recipe_threads)
    resources:
        checkpoint_seconds=of(runs.checkpoint_seconds),
        gpu=of(runs.run_gpus),
        gres=of(runs.run_gres),
        mem_mb=5000,
        mpi=of(runs.run_mpi),
        nodes=of(runs.run_nodes),
        tasks=of(runs.run_tasks),
        # else Slurm would start so many tasks a GPU
        tasks_per_gpu=0,
    script:
        "../workflow/scripts/finetune.py"


use rule finetune as finetune_kept with:
    output:
        train=paths.TRAINED,
        model=directory(paths.WEIGHTS),
    wildcard_constraints:
        subset=runs.kept_subsets(config),


# A recipe with runs_per_job: one job trains several mixtures in turn, the base weights kept in memory. What it leaves is
# taken into each run's own folder, and is temporary itself.
use rule finetune as finetune_mixtures with:
    input:
        subsets=of(runs.batch_subsets),
        model=of(runs.recipe_model),
    output:
        temp(directory(paths.BATCH)),
    log:
        paths.log("finetune_mixtures/{recipe}/{block}-{batch}"),
    benchmark:
        paths.cost("finetune_mixtures/{recipe}/{block}-{batch}")


rule take_run:
    input:
        of(runs.run_batch),
    output:
        train=paths.TRAINED.format(recipe="{recipe}", subset="mixtures/{mixture}"),
        model=temp(directory(paths.WEIGHTS.format(recipe="{recipe}", subset="mixtures/{mixture}"))),
        cost=paths.cost("finetune/{recipe}/mixtures/{mixture}"),
    log:
        paths.log("take_run/{recipe}/mixtures/{mixture}"),
    params:
        run=of(runs.run_in_batch),
    wildcard_constraints:
        recipe=runs.batch_recipes(config),
        mixture=r"[a-z0-9_]+-\d+",
    localrule: True
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/take_run.py"


ruleorder: take_run > finetune_kept > finetune


FOUND = "{strategy}/{pool}/best-{search}"


rule describe_model:
    input:
        subset=paths.SUBSET.format(subset=FOUND),
        train=paths.TRAINED.format(recipe="{recipe}", subset=FOUND),
        search=paths.SEARCH,
        evaluations=of(runs.final_evaluations),
        quality_rule=of(runs.final_quality_rule),
        summaries=of(rankings.pool_summaries),
    output:
        card=paths.CARD.format(recipe="{recipe}", subset=FOUND),
        parquet=paths.FINAL_PARQUET.format(recipe="{recipe}", subset=FOUND),
        jsonl=paths.FINAL_JSONL.format(recipe="{recipe}", subset=FOUND),
    log:
        paths.log("describe_model/{recipe}/{strategy}/{pool}/best-{search}"),
    params:
        examples=of(runs.examples_pattern),
        base=of(runs.base_model),
        pool=of(rankings.pool_datasets),
        version=versions.CARDS,
    benchmark:
        paths.cost("describe_model/{recipe}/{strategy}/{pool}/best-{search}")
    localrule: True
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/describe_model.py"
