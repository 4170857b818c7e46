# Inputs and params of rules/report.smk. Params hold what a result depends on, and no more.


def get_random_strategies(wildcards):
    return [name for name, settings in config["strategies"].items() if settings["kind"] == "random"]


def get_baselines(wildcards):
    return comparison_baselines(config, wildcards.comparison)


def get_selection_benchmarks(wildcards):
    """Benchmarks whose data a fit or a search has used already; they are no test of what was selected with them."""
    losses = [*config["quality_rules"].values(), *config["searches"].values()]
    used = {config["benchmarks"][settings["loss"]]["dataset"] for settings in losses if "loss" in settings}
    return sorted(name for name, settings in config["benchmarks"].items() if settings.get("dataset") in used)


def get_published_beside(wildcards):
    """The preset that a rule's page holds beside it, if one is named."""
    return config["quality_rules"][wildcards.quality_rule].get("against")


def get_final_models(wildcards):
    return [f"results/runs/{s['recipe']}/{get_best_subset(name)}/model" for name, s in config["searches"].items()]


def get_number_of_examples(wildcards):
    return config["report"]["examples"]


def get_all_summaries(wildcards):
    return get_summaries(config["datasets"])


def get_pool_examples(wildcards):
    return get_examples(config["pools"][wildcards.pool])


def get_pool_indicator_tables(wildcards):
    return [f"results/indicators/{dataset}.parquet" for dataset in config["pools"][wildcards.pool]]


def get_indicator_datasets():
    """Datasets that a quality rule is fitted on, or that it ranks."""
    blocks = [block for s in config["quality_rules"].values() for block in s.get("mixtures", [])]
    found = [dataset for block in blocks for dataset in get_block(block)["datasets"]]
    found += [dataset for _, pool in get_shown_rankings() for dataset in config["pools"][pool]]
    return list(dict.fromkeys(found))


def get_all_indicator_tables(wildcards):
    return [f"results/indicators/{dataset}.parquet" for dataset in get_indicator_datasets()]


def get_all_neighbour_files(wildcards):
    """Files by neighbours that the pages' datasets, quality rules and rankings by them read."""
    files = [path for name in get_indicator_datasets() for path in get_shards([name], get_dataset_columns(name))]
    for name, settings in config["quality_rules"].items():
        files += get_rule_indicators(name) if "mixtures" in settings else []
    for strategy, pool in get_shown_rankings():
        files += get_ranking_indicators(pool, strategy_columns(config, strategy))
    entries = neighbour_entries(config)
    return [path for path in dict.fromkeys(files) if Path(path).parent.name in entries]


def get_all_run_scores(wildcards):
    """Files of indicators that a run on a pool scores."""
    files = [path for strategy, pool in get_rankings() for path in get_strategy_run_scores(strategy, pool)]
    return list(dict.fromkeys(files))


def get_strategy_run_scores(strategy, pool):
    wanted = set(strategy_columns(config, strategy)) - {*dataset_columns(config)}
    return get_ranking_indicators(pool, wanted)


def get_indicator_check(wildcards):
    return ["results/indicator_check.json"] if config.get("indicator_check") else []


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


def get_evaluations_by_comparison(wildcards):
    return {name: get_comparison_files(name, "evaluations", ".json") for name in config["comparisons"]}


def get_all_comparison_evaluations(wildcards):
    files = [path for paths in get_evaluations_by_comparison(wildcards).values() for path in paths]
    return list(dict.fromkeys(files))


def get_all_comparison_subsets(wildcards):
    subsets = [subset for name in config["comparisons"] for subset in comparison_subsets(config, name)]
    return [f"results/subsets/{subset}.parquet" for subset in dict.fromkeys(subsets)]


def get_comparison_evaluations(wildcards):
    return get_comparison_files(wildcards.comparison, "evaluations", ".json")


def get_comparison_items(wildcards):
    return get_comparison_files(wildcards.comparison, "evaluations", ".items.parquet")


def get_comparison_rule_rankings(wildcards):
    """Rankings by the comparison's quality rules: each example of a pool with its predicted log loss."""
    settings, repeated = config["comparisons"][wildcards.comparison], all_ablated(config)
    kinds = {name: config["strategies"][name]["kind"] for name in settings["strategies"] if name not in repeated}
    rules = [name for name, kind in kinds.items() if kind == "quality_rule"]
    return [f"results/rankings/{rule}/{pool}.parquet" for rule in rules for pool in settings["pools"]]


def get_subset_table(wildcards):
    """The table of subsets under the comparison's quality rules; none where no strategy has one."""
    rankings = get_comparison_rule_rankings(wildcards)
    return [f"results/tables/subsets/{wildcards.comparison}.csv"] if rankings else []


def get_study_evaluations(wildcards):
    return get_comparison_files(wildcards.study, "evaluations", ".json")


def get_study_items(wildcards):
    return get_comparison_files(wildcards.study, "evaluations", ".items.parquet")


def get_study_subsets(wildcards):
    return [f"results/subsets/{subset}.parquet" for subset in comparison_subsets(config, wildcards.study)]


def get_study_strategy(wildcards):
    return config["studies"][wildcards.study]["strategy"]


def get_ablated(wildcards):
    """Quality rule, and strategy, that lacks an indicator -> that indicator."""
    return ablated(config, wildcards.study)


def get_ablation_rules(wildcards):
    """The full rule and then those without an indicator."""
    full = config["strategies"][get_study_strategy(wildcards)]["quality_rule"]
    return [f"results/quality_rules/{name}.json" for name in [full, *get_ablated(wildcards)]]


def get_repeated_recipes(wildcards):
    """Recipe of a run -> the recipe that it repeats with another seed, or itself."""
    return repeated_recipes(config, wildcards.study)


def get_study_datasets(wildcards):
    """Pool -> the one dataset in it."""
    return dataset_pools(config, wildcards.study)


def get_benchmark_page_inputs(wildcards):
    """Evaluations of one benchmark, their items and subsets; the dataset whose texts the items do not hold."""
    dataset = config["benchmarks"][wildcards.benchmark].get("dataset")
    evaluations = [path for path in get_comparison_evaluations(wildcards) if Path(path).stem == wildcards.benchmark]
    return {
        "evaluations": evaluations,
        "per_item": [path.removesuffix(".json") + ".items.parquet" for path in evaluations],
        "subsets": get_comparison_subset_files(wildcards),
        **({"examples": get_examples([dataset])} if dataset else {}),
    }


def get_compared_benchmarks(wildcards):
    return get_compared_on(wildcards.comparison)


def get_evaluated_texts(wildcards):
    """What each benchmark of a comparison asks: its dataset, or the items of an evaluation that hold their texts."""
    found, evaluations = [], comparison_evaluations(config, wildcards.comparison)
    for name in get_compared_on(wildcards.comparison):
        dataset = config["benchmarks"][name].get("dataset")
        first = next("/".join(parts) for parts in evaluations if parts[-1] == name)
        found += get_examples([dataset]) if dataset else [f"results/evaluations/{first}.items.parquet"]
    return found


def get_report_ngram(wildcards):
    return config["report"]["ngram"]


def get_comparison_subset_files(wildcards):
    return [f"results/subsets/{subset}.parquet" for subset in comparison_subsets(config, wildcards.comparison)]


def get_comparison_runs(wildcards):
    """train.json of the comparison's runs."""
    settings, subsets = config["comparisons"][wildcards.comparison], comparison_subsets(config, wildcards.comparison)
    return [f"results/runs/{recipe}/{subset}/train.json" for recipe in settings["recipes"] for subset in subsets]


def get_comparison_rankings(wildcards):
    """One ranking of each pool: it has all its examples."""
    settings = config["comparisons"][wildcards.comparison]
    order = seeded_names(config, settings["strategies"][0])[0]
    return [f"results/rankings/{order}/{pool}.parquet" for pool in settings["pools"]]


def get_cost_digest(wildcards):
    """Which jobs the costs are made of, and what they hold; the script takes the config itself."""
    return costs.digest(config, wildcards.comparison)


def get_prices(wildcards):
    return config["costs"]


def get_currency(wildcards):
    return config["costs"]["currency"]


def get_stale_cost_pages():
    """Pages of costs, and how many of the cost files that they count are newer: those are not their inputs."""
    found = {}
    for name, page in zip(config["comparisons"], get_cost_pages()):
        files = [Path(f"results/costs/{job}.tsv") for job in costs.comparison_jobs(config, name)]
        made = Path(page).stat().st_mtime if Path(page).exists() else float("inf")
        found[page] = sum(file.exists() and file.stat().st_mtime > made for file in files)
    return {page: newer for page, newer in found.items() if newer}


def get_overlap_subsets(wildcards):
    """Subsets of a comparison save those of everything, which overlap with all."""
    subsets = comparison_subsets(config, wildcards.comparison)
    return [f"results/subsets/{subset}.parquet" for subset in subsets if Path(subset).name != "all"]


def get_overlap_rankings(wildcards):
    """The rankings behind them: how large their pools are, and whether a random one kept to its limit."""
    names = {tuple(Path(path).parts[-3:-1]) for path in get_overlap_subsets(wildcards)}
    return [f"results/rankings/{order}/{pool}.parquet" for order, pool in sorted(names)]


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
