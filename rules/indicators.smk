rule embed:
    input:
        unpack(of(embeddings.embed_inputs)),
    output:
        paths.EMBEDDINGS,
    log:
        paths.log("embed/{dataset}/{entry}/{shard}"),
    params:
        settings=of(embeddings.embed_settings),
        version=of(embeddings.embed_version),
    benchmark:
        paths.cost("embed/{dataset}/{entry}/{shard}")
    wildcard_constraints:
        entry=embeddings.embedding_entries(config),
    conda:
        "../envs/models.yaml"
    threads: 1
    resources:
        batch_tokens=of(embeddings.batch_tokens),
        gpu=of(embeddings.gpus),
        mem_mb=4000,
        nodes=of(embeddings.gpu_nodes),
        runtime=240,
    script:
        "../workflow/scripts/embed.py"


# a reference set is {dataset}, pools/{pool} or mixtures/{block}: whose examples are scored, and compared
rule score_neighbours:
    input:
        unpack(of(indicators.neighbour_inputs)),
    output:
        paths.NEIGHBOUR_INDICATOR,
    log:
        paths.log("score_neighbours/{reference_set}/{entry}"),
    params:
        settings=of(indicators.neighbour_settings),
        version=of(indicators.score_version),
    benchmark:
        paths.cost("score_neighbours/{reference_set}/{entry}")
    wildcard_constraints:
        entry=indicators.by_neighbours(config),
    conda:
        "../envs/models.yaml"
    threads: of(indicators.neighbour_threads)
    resources:
        mem_mb=4000,
        runtime=240,
    script:
        "../workflow/scripts/score_neighbours.py"


rule score:
    input:
        unpack(of(indicators.score_inputs)),
    output:
        paths.INDICATOR_SHARD,
    log:
        paths.log("score/{dataset}/{entry}/{shard}"),
    params:
        settings=of(indicators.score_settings),
        version=of(indicators.score_version),
    benchmark:
        paths.cost("score/{dataset}/{entry}/{shard}")
    wildcard_constraints:
        entry=indicators.by_models(config),
    conda:
        "../envs/models.yaml"
    threads: 1
    resources:
        batch_tokens=of(embeddings.batch_tokens),
        gpu=of(embeddings.gpus),
        judges=of(indicators.judge_places),
        mem_mb=4000,
        nodes=of(embeddings.gpu_nodes),
        runtime=240,
    script:
        "../workflow/scripts/score.py"


# lengths and words: seconds a shard, so that a cluster gets them by the dozen (profiles/slurm: group-components)
use rule score as score_on_cpu with:
    wildcard_constraints:
        entry=indicators.by_counting(config),
    group:
        "score_on_cpu"


# of a model that is a run on a subset of the pool, and whose scores are the pool's therefore
use rule score as score_under_run with:
    input:
        unpack(of(indicators.score_under_run_inputs)),
    output:
        paths.RUN_INDICATOR,
    log:
        paths.log("score_under_run/{pool}/{entry}/{dataset}-{shard}"),
    benchmark:
        paths.cost("score_under_run/{pool}/{entry}/{dataset}-{shard}")
    wildcard_constraints:
        entry=indicators.under_runs(config),


rule fit_preference_head:
    input:
        unpack(of(indicators.preference_head_inputs)),
    output:
        paths.PREFERENCE_HEAD,
    log:
        paths.log("fit_preference_head/{entry}"),
    params:
        settings=of(indicators.preference_head_settings),
        version=versions.PREFERENCE_HEAD,
    benchmark:
        paths.cost("fit_preference_head/{entry}")
    conda:
        "../envs/models.yaml"
    threads: 1
    resources:
        batch_tokens=of(embeddings.batch_tokens),
        gpu=of(embeddings.one_gpu),
        mem_mb=4000,
        runtime=240,
    script:
        "../workflow/scripts/fit_preference_head.py"


rule join_indicators:
    input:
        examples=paths.EXAMPLES,
        shards=of(indicator_files.join_shards),
    output:
        paths.INDICATOR_TABLE,
    log:
        paths.log("join_indicators/{dataset}"),
    params:
        columns=of(indicator_files.join_columns),
        version=versions.INDICATOR_TABLES,
    benchmark:
        paths.cost("join_indicators/{dataset}")
    localrule: True
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
        unpack(of(indicator_files.check_inputs)),
    output:
        paths.INDICATOR_CHECK,
    log:
        paths.log("check_indicators/indicators"),
    params:
        settings=of(indicator_files.check_settings),
        columns=of(indicator_files.check_columns),
        version=versions.INDICATOR_CHECK,
    benchmark:
        paths.cost("check_indicators/indicators")
    localrule: True
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
    script:
        "../workflow/scripts/check_indicators.py"
