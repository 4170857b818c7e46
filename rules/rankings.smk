rule rank_pool:
    input:
        unpack(of(rankings.rank_inputs)),
    output:
        paths.RANKING,
    log:
        paths.log("rank_pool/{ranking}/{pool}"),
    params:
        strategy=of(rankings.rank_settings),
        columns=of(rankings.rank_columns),
        datasets=of(rankings.pool_datasets),
        version=of(rankings.rank_version),
    benchmark:
        paths.cost("rank_pool/{ranking}/{pool}")
    localrule: True
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
        ranking=rankings.by_embeddings(config),
    conda:
        "../envs/models.yaml"
    resources:
        mem_mb=8000,
        runtime=240,


ruleorder: rank_by_embeddings > rank_pool


rule select_subset:
    input:
        unpack(of(rankings.select_inputs)),
    output:
        paths.SELECTED,
    log:
        paths.log("select_subset/{ranking}/{pool}/{size}"),
    params:
        strategy="{ranking}",
        pool="{pool}",
        version=versions.RANKINGS,
    benchmark:
        paths.cost("select_subset/{ranking}/{pool}/{size}")
    localrule: True
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    script:
        "../workflow/scripts/select_subset.py"
