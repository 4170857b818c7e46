# Page 2 Comparison: what it cost, and each subset with its minutes.
# What the jobs measured (results/costs) is read as it is: as inputs, a lost measurement would have its job done again.
rule report_costs:
    input:
        evaluations=of(comparisons.comparison_evaluation_files),
        subsets=of(comparisons.comparison_subset_files),
        runs=of(comparisons.comparison_runs),
        rankings=of(comparisons.comparison_rankings),
    output:
        page=report(
            paths.COSTS_PAGE,
            caption="../workflow/report/costs.rst",
            category="2 Comparison",
            subcategory="{comparison}",
            labels={"what": "costs"},
        ),
        strategies=report(
            paths.COSTS_TABLE,
            caption="../workflow/report/costs_table.rst",
            category="2 Comparison",
            subcategory="{comparison}",
            labels={"what": "costs as CSV"},
        ),
        parts=paths.COST_PARTS_TABLE,
    log:
        paths.log("report_costs/{comparison}"),
    params:
        version=[versions.COSTS, versions.PAGES],
        random=of(comparisons.random_strategies),
        prices=of(comparisons.prices),
        jobs=of(costs.digest_of),
        costs=paths.COSTS,
    localrule: True
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/report_costs.py"


# Minutes are the page of costs' own, so that both say the same.
rule report_subsets:
    input:
        evaluations=of(comparisons.comparison_evaluation_files),
        subsets=of(comparisons.comparison_subset_files),
        rankings=of(comparisons.rule_rankings),
        parts=paths.COST_PARTS_TABLE,
    output:
        report(
            paths.SUBSETS_TABLE,
            caption="../workflow/report/subsets.rst",
            category="2 Comparison",
            subcategory="{comparison}",
            labels={"what": "subsets as CSV"},
        ),
    log:
        paths.log("report_subsets/{comparison}"),
    params:
        version=versions.STUDIES,
    localrule: True
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/report_subsets.py"
