include: "inputs/searches.smk"


rule propose_size:
    input:
        unpack(get_proposal_inputs),
    output:
        "results/searches/{search}/trials/{t}.json",
    log:
        "logs/propose_size/{search}/{t}.log",
    params:
        settings=get_proposal_settings,
        version=versions.SEARCHES,
    benchmark:
        "results/costs/propose_size/{search}/{t}.tsv"
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    script:
        "../workflow/scripts/propose_size.py"


# a trial's subset is a prefix of its strategy's order like any other; its proposal says how long
use rule select_subset as select_trial with:
    input:
        ranking=get_search_ranking,
        proposal="results/searches/{search}/trials/{t}.json",
    output:
        "results/subsets/searches/{search}/{t}.parquet",
    log:
        "logs/select_trial/{search}/{t}.log",
    params:
        strategy=get_search_strategy,
        pool=get_search_pool,
    benchmark:
        "results/costs/select_trial/{search}/{t}.tsv"


rule choose_size:
    input:
        unpack(get_search_trials),
    output:
        "results/searches/{search}.json",
    log:
        "logs/choose_size/{search}.log",
    params:
        settings=get_search_settings,
        version=versions.SEARCHES,
    benchmark:
        "results/costs/choose_size/{search}.tsv"
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    script:
        "../workflow/scripts/choose_size.py"
