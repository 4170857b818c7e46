include: "inputs/indicators.smk"


rule embed:
    input:
        unpack(get_embedding_inputs),
    output:
        "results/embeddings/{dataset}/{entry}/{shard}.parquet",
    log:
        "logs/embed/{dataset}/{entry}/{shard}.log",
    params:
        settings=get_embedding_settings,
        version=get_embedding_version,
    benchmark:
        "results/costs/embed/{dataset}/{entry}/{shard}.tsv"
    wildcard_constraints:
        entry=EMBEDDING_ENTRIES,
    conda:
        "../envs/models.yaml"
    threads: 1
    resources:
        batch_tokens=get_batch_tokens,
        gpu=get_gpus,
        mem_mb=4000,
        nodes=get_gpu_nodes,
        runtime=240,
    script:
        "../workflow/scripts/embed.py"


# a reference set is {dataset}, pools/{pool} or mixtures/{block}: whose examples are scored, and compared
rule score_neighbours:
    input:
        unpack(get_neighbour_inputs),
    output:
        "results/indicators/{reference_set}/{entry}/000-of-001.parquet",
    log:
        "logs/score_neighbours/{reference_set}/{entry}.log",
    params:
        settings=get_neighbour_settings,
        version=get_scorer_version,
    benchmark:
        "results/costs/score_neighbours/{reference_set}/{entry}.tsv"
    wildcard_constraints:
        entry=NEIGHBOUR_ENTRIES,
    conda:
        "../envs/models.yaml"
    threads: get_neighbour_threads
    resources:
        mem_mb=4000,
        runtime=240,
    script:
        "../workflow/scripts/score_neighbours.py"


rule score:
    input:
        unpack(get_score_inputs),
    output:
        "results/indicators/{dataset}/{entry}/{shard}.parquet",
    log:
        "logs/score/{dataset}/{entry}/{shard}.log",
    params:
        settings=get_indicator_settings,
        version=get_scorer_version,
    benchmark:
        "results/costs/score/{dataset}/{entry}/{shard}.tsv"
    wildcard_constraints:
        entry=MODEL_ENTRIES,
    conda:
        "../envs/models.yaml"
    threads: 1
    resources:
        batch_tokens=get_batch_tokens,
        gpu=get_gpus,
        judges=get_judges,
        mem_mb=4000,
        nodes=get_gpu_nodes,
        runtime=240,
    script:
        "../workflow/scripts/score.py"


# lengths and words: seconds a shard, so that a cluster gets them by the dozen (profiles/slurm: group-components)
use rule score as score_on_cpu with:
    wildcard_constraints:
        entry=CPU_ENTRIES,
    group:
        "score_on_cpu"


# of a model that is a run on a subset of the pool, and whose scores are the pool's therefore
use rule score as score_under_run with:
    input:
        unpack(get_run_score_inputs),
    output:
        "results/indicators/pools/{pool}/{entry}/{dataset}-{shard}.parquet",
    log:
        "logs/score_under_run/{pool}/{entry}/{dataset}-{shard}.log",
    benchmark:
        "results/costs/score_under_run/{pool}/{entry}/{dataset}-{shard}.tsv"
    wildcard_constraints:
        entry=RUN_ENTRIES,


rule fit_preference_head:
    input:
        unpack(get_preference_head_inputs),
    output:
        "results/preference_heads/{entry}.json",
    log:
        "logs/fit_preference_head/{entry}.log",
    params:
        settings=get_preference_head_settings,
        version=versions.PREFERENCE_HEAD,
    benchmark:
        "results/costs/fit_preference_head/{entry}.tsv"
    conda:
        "../envs/models.yaml"
    threads: 1
    resources:
        batch_tokens=get_batch_tokens,
        gpu=get_one_gpu,
        mem_mb=4000,
        runtime=240,
    script:
        "../workflow/scripts/fit_preference_head.py"


rule join_indicators:
    input:
        examples="results/datasets/{dataset}/examples.parquet",
        shards=get_indicator_shards,
    output:
        "results/indicators/{dataset}.parquet",
    log:
        "logs/join_indicators/{dataset}.log",
    params:
        columns=get_indicator_columns,
        version=versions.INDICATOR_TABLES,
    benchmark:
        "results/costs/join_indicators/{dataset}.tsv"
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
    script:
        "../workflow/scripts/join_indicators.py"


rule check_indicators:
    input:
        unpack(get_indicator_check_inputs),
    output:
        "results/indicator_check.json",
    log:
        "logs/check_indicators/indicators.log",
    params:
        settings=get_indicator_check_settings,
        columns=get_check_columns,
        version=versions.INDICATOR_CHECK,
    benchmark:
        "results/costs/check_indicators/indicators.tsv"
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
    script:
        "../workflow/scripts/check_indicators.py"
