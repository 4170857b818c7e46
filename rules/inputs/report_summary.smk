# Inputs and params of rules/report_summary.smk. Params hold what a result depends on, and no more.


def get_all_quality_rules(wildcards):
    return [f"results/quality_rules/{name}.json" for name in get_shown_quality_rules()]


def get_all_observations(wildcards):
    return [f"results/quality_rules/{name}/observations.csv" for name in get_shown_quality_rules()]


def get_all_rule_sets(wildcards):
    return [f"results/quality_rules/{name}/all_subsets.csv" for name in get_shown_quality_rules()]


def get_all_quality_rule_settings(wildcards):
    """What resampling a rule's observations depends on; published coefficients have none."""
    keys = ("max_indicators", "bootstrap", "seed")
    rules = {name: config["quality_rules"][name] for name in get_shown_quality_rules()}
    return {name: {key: settings[key] for key in keys if key in settings} for name, settings in rules.items()}


def get_all_searches(wildcards):
    return [f"results/searches/{name}.json" for name in config["searches"]]


def get_all_size_scans(wildcards):
    return [f"results/tables/size_scans/{name}.csv" for name in studies_of_kind(config, "size_scan")]


def get_shown_comparisons():
    """Comparisons that ask about random subsets, which ablations and losses by dataset do not."""
    others = [*studies_of_kind(config, "ablation"), *studies_of_kind(config, "datasets")]
    return [name for name in config["comparisons"] if name not in others]


def get_all_comparison_tables(wildcards):
    return [f"results/tables/{name}.csv" for name in get_shown_comparisons()]


def get_all_cost_tables(wildcards):
    return [f"results/tables/costs/{name}/strategies.csv" for name in get_shown_comparisons()]


def get_kinds_of_pages(wildcards):
    """Which kinds of pages the report has: comparisons, examples, data, …"""
    return sorted({Path(page).relative_to("results/figures").with_suffix("").parts[0] for page in get_report_pages()})


def get_all_runs(wildcards):
    """train.json of every run of the study."""
    runs = []
    for settings in config["quality_rules"].values():
        names = mixture_names(config, settings.get("mixtures", []))
        runs += [f"{settings['recipe']}/mixtures/{name}" for name in names]
    for name, settings in config["searches"].items():
        runs += [f"{settings['recipe']}/searches/{name}/{t:03d}" for t in range(settings["trials"])]
        runs.append(f"{settings['recipe']}/{get_best_subset(name)}")
    for name, settings in config["comparisons"].items():
        runs += [f"{recipe}/{subset}" for recipe in settings["recipes"] for subset in comparison_subsets(config, name)]
    for strategy, pool in get_rankings():
        runs += [f"{recipe}/{subset}" for recipe, subset in scoring_runs(config, strategy, pool)]
    return [f"results/runs/{run}/train.json" for run in dict.fromkeys(runs)]


def get_final_models(wildcards):
    return [f"results/runs/{s['recipe']}/{get_best_subset(name)}/model" for name, s in config["searches"].items()]


def get_currency(wildcards):
    return config["costs"]["currency"]
