# Inputs and params of rules/report_comparison.smk. Params hold what a result depends on, and no more.


def get_random_strategies(wildcards):
    return [name for name, settings in config["strategies"].items() if settings["kind"] == "random"]


def get_baselines(wildcards):
    return comparison_baselines(config, wildcards.comparison)


def get_selection_benchmarks(wildcards):
    """Benchmarks whose data a fit or a search has used already; they are no test of what was selected with them."""
    losses = [*config["quality_rules"].values(), *config["searches"].values()]
    used = {config["benchmarks"][settings["loss"]]["dataset"] for settings in losses if "loss" in settings}
    return sorted(name for name, settings in config["benchmarks"].items() if settings.get("dataset") in used)


def get_comparison_evaluations(wildcards):
    return get_comparison_files(wildcards.comparison, "evaluations", ".json")


def get_comparison_items(wildcards):
    return get_comparison_files(wildcards.comparison, "evaluations", ".items.parquet")


def get_comparison_subset_files(wildcards):
    return [f"results/subsets/{subset}.parquet" for subset in comparison_subsets(config, wildcards.comparison)]


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


def get_overlap_subsets(wildcards):
    """Subsets of a comparison save those of everything, which overlap with all."""
    subsets = comparison_subsets(config, wildcards.comparison)
    return [f"results/subsets/{subset}.parquet" for subset in subsets if Path(subset).name != "all"]


def get_overlap_rankings(wildcards):
    """The rankings behind them: how large their pools are, and whether a random one kept to its limit."""
    names = {tuple(Path(path).parts[-3:-1]) for path in get_overlap_subsets(wildcards)}
    return [f"results/rankings/{order}/{pool}.parquet" for order, pool in sorted(names)]


def get_compared_benchmarks(wildcards):
    return get_compared_on(wildcards.comparison)


def get_evaluated_texts(wildcards):
    return list(evaluated_texts(config, wildcards.comparison).values())


def get_report_ngram(wildcards):
    return config["report"]["ngram"]


def get_evaluations_by_comparison(wildcards):
    return {name: get_comparison_files(name, "evaluations", ".json") for name in config["comparisons"]}


def get_all_comparison_evaluations(wildcards):
    files = [path for paths in get_evaluations_by_comparison(wildcards).values() for path in paths]
    return list(dict.fromkeys(files))


def get_all_comparison_subsets(wildcards):
    subsets = [subset for name in config["comparisons"] for subset in comparison_subsets(config, name)]
    return [f"results/subsets/{subset}.parquet" for subset in dict.fromkeys(subsets)]
