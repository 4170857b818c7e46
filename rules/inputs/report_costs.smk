# Inputs and params of rules/report_costs.smk. Params hold what a result depends on, and no more.


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


def get_stale_cost_pages():
    """Pages of costs, and how many of the cost files that they count are newer: those are not their inputs."""
    found = {}
    for name, page in zip(config["comparisons"], get_cost_pages()):
        files = [Path(f"results/costs/{job}.tsv") for job in costs.comparison_jobs(config, name)]
        made = Path(page).stat().st_mtime if Path(page).exists() else float("inf")
        found[page] = sum(file.exists() and file.stat().st_mtime > made for file in files)
    return {page: newer for page, newer in found.items() if newer}
