rule propose_size:
    input:
        unpack(of(searches.propose_inputs)),
    output:
        paths.PROPOSAL,
    log:
        paths.log("propose_size/{search}/{t}"),
    params:
        settings=of(searches.propose_settings),
        version=versions.SEARCHES,
    benchmark:
        paths.cost("propose_size/{search}/{t}")
    localrule: True
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
        ranking=of(searches.search_ranking),
        proposal=paths.PROPOSAL,
    output:
        paths.TRIAL_SUBSET,
    log:
        paths.log("select_trial/{search}/{t}"),
    params:
        strategy=of(searches.search_strategy),
        pool=of(searches.search_pool),
    benchmark:
        paths.cost("select_trial/{search}/{t}")
    localrule: True


rule choose_size:
    input:
        unpack(of(searches.choose_inputs)),
    output:
        paths.SEARCH,
    log:
        paths.log("choose_size/{search}"),
    params:
        settings=of(searches.choose_settings),
        version=versions.SEARCHES,
    benchmark:
        paths.cost("choose_size/{search}")
    localrule: True
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    script:
        "../workflow/scripts/choose_size.py"
