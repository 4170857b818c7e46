# Page 1 Summary, made of the others.
include: "inputs/report_summary.smk"


rule report_summary:
    input:
        quality_rules=get_all_quality_rules,
        observations=get_all_observations,
        all_subsets=get_all_rule_sets,
        indicator_check=get_indicator_check,
        searches=get_all_searches,
        size_scans=get_all_size_scans,
        comparisons=get_all_comparison_tables,
        costs=get_all_cost_tables,
        evaluations=get_all_comparison_evaluations,
        subsets=get_all_comparison_subsets,
        runs=get_all_runs,
    output:
        report(
            "results/figures/summary.html",
            caption="../workflow/report/summary.rst",
            category="1 Summary",
            labels={"page": "what was found"},
        ),
    log:
        "logs/report_summary/summary.log",
    params:
        version=[versions.COMPARISON, versions.QUALITY_RULE_CHECKS, versions.PAGES],
        quality_rules=get_all_quality_rule_settings,
        random=get_random_strategies,
        evaluations=get_evaluations_by_comparison,
        selection_benchmarks=get_selection_benchmarks,
        models=get_final_models,
        currency=get_currency,
        pages=get_kinds_of_pages,
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/report_summary.py"
