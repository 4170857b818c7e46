# Inputs and params of rules/searches.smk. Params hold what a result depends on, and no more.


def get_search_files(name, proposed, evaluated):
    """The proposals of the trials `proposed` and the evaluations of the trials `evaluated`."""
    settings = config["searches"][name]
    evaluation = f"results/evaluations/{settings['recipe']}/searches/{name}/{{:03d}}/{settings['loss']}.json"
    return {
        "proposals": [f"results/searches/{name}/trials/{t:03d}.json" for t in proposed],
        "evaluations": [evaluation.format(t) for t in evaluated],
    }


def get_proposal_inputs(wildcards):
    trial = int(wildcards.t)
    known = search.told(trial, config["searches"][wildcards.search]["parallel"])
    return get_search_files(wildcards.search, range(trial), known)


def get_proposal_settings(wildcards):
    """What a proposal depends on: not on how many trials there are."""
    settings = config["searches"][wildcards.search]
    return {key: settings[key] for key in ("low", "high", "parallel", "seed")}


def get_search_trials(wildcards):
    trials = range(config["searches"][wildcards.search]["trials"])
    return get_search_files(wildcards.search, trials, trials)


def get_search_settings(wildcards):
    return config["searches"][wildcards.search]


def get_search_strategy(wildcards):
    return config["searches"][wildcards.search]["strategy"]


def get_search_pool(wildcards):
    return config["searches"][wildcards.search]["pool"]


def get_search_ranking(wildcards):
    settings = config["searches"][wildcards.search]
    return f"results/rankings/{settings['strategy']}/{settings['pool']}.parquet"
