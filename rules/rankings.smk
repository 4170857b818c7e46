include: "inputs/rankings.smk"


rule rank_pool:
    input:
        unpack(get_ranking_inputs),
    output:
        "results/rankings/{ranking}/{pool}.parquet",
    log:
        "logs/rank_pool/{ranking}/{pool}.log",
    params:
        strategy=get_ranking_settings,
        columns=get_ranking_columns,
        datasets=get_pool_datasets,
        version=get_ranking_version,
    benchmark:
        "results/costs/rank_pool/{ranking}/{pool}.tsv"
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=20,
    script:
        "../workflow/scripts/rank_pool.py"


# those that compare vectors of the whole pool: minutes for a million rows, so no work for the login node
use rule rank_pool as rank_by_embeddings with:
    wildcard_constraints:
        ranking=EMBEDDING_STRATEGIES,
    conda:
        "../envs/models.yaml"
    resources:
        mem_mb=8000,
        runtime=240,


ruleorder: rank_by_embeddings > rank_pool


rule select_subset:
    input:
        unpack(get_subset_inputs),
    output:
        "results/subsets/{ranking}/{pool}/{size}.parquet",
    log:
        "logs/select_subset/{ranking}/{pool}/{size}.log",
    params:
        strategy="{ranking}",
        pool="{pool}",
        version=versions.RANKINGS,
    benchmark:
        "results/costs/select_subset/{ranking}/{pool}/{size}.tsv"
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    script:
        "../workflow/scripts/select_subset.py"
