# Page 1 Summary, made of the others.
rule report_summary:
    input:
        quality_rules=of(summary.all_quality_rules),
        observations=of(summary.all_observations),
        all_subsets=of(summary.all_indicator_sets),
        indicator_check=of(data_pages.indicator_check),
        searches=of(summary.all_searches),
        size_scans=of(summary.all_size_scans),
        comparisons=of(summary.all_comparison_tables),
        costs=of(summary.all_cost_tables),
        evaluations=of(comparisons.all_comparison_evaluations),
        subsets=of(comparisons.all_comparison_subsets),
        runs=of(summary.all_runs),
    output:
        report(
            paths.SUMMARY_PAGE,
            caption="../workflow/report/summary.rst",
            category="1 Summary",
            labels={"page": "what was found"},
        ),
    log:
        paths.log("report_summary/summary"),
    params:
        version=[versions.COMPARISON, versions.QUALITY_RULE_CHECKS, versions.PAGES],
        quality_rules=of(summary.all_quality_rule_settings),
        random=of(comparisons.random_strategies),
        evaluations=of(comparisons.evaluations_by_comparison),
        selection_benchmarks=of(comparisons.selection_benchmarks),
        models=of(summary.final_models),
        currency=of(summary.currency),
        pages=of(targets.kinds_of_pages),
    localrule: True
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/report_summary.py"
