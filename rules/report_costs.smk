# Page 2 Comparison: what it cost, and each subset with its minutes.
include: "inputs/report_costs.smk"


# What the jobs measured (results/costs) is read as it is: as inputs, a lost measurement would have its job done again.
rule report_costs:
    input:
        evaluations=get_comparison_evaluations,
        subsets=get_comparison_subset_files,
        runs=get_comparison_runs,
        rankings=get_comparison_rankings,
    output:
        page=report(
            "results/figures/costs/{comparison}.html",
            caption="../workflow/report/costs.rst",
            category="2 Comparison",
            subcategory="{comparison}",
            labels={"what": "costs"},
        ),
        strategies=report(
            "results/tables/costs/{comparison}/strategies.csv",
            caption="../workflow/report/costs_table.rst",
            category="2 Comparison",
            subcategory="{comparison}",
            labels={"what": "costs as CSV"},
        ),
        parts="results/tables/costs/{comparison}/parts.csv",
    log:
        "logs/report_costs/{comparison}.log",
    params:
        version=[versions.COSTS, versions.PAGES],
        random=get_random_strategies,
        prices=get_prices,
        jobs=get_cost_digest,
        costs="results/costs",
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/report_costs.py"


# Minutes are the page of costs' own, so that both say the same.
rule report_subsets:
    input:
        evaluations=get_comparison_evaluations,
        subsets=get_comparison_subset_files,
        rankings=get_comparison_rule_rankings,
        parts="results/tables/costs/{comparison}/parts.csv",
    output:
        report(
            "results/tables/subsets/{comparison}.csv",
            caption="../workflow/report/subsets.rst",
            category="2 Comparison",
            subcategory="{comparison}",
            labels={"what": "subsets as CSV"},
        ),
    log:
        "logs/report_subsets/{comparison}.log",
    params:
        version=versions.STUDIES,
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/report_subsets.py"
