include: "inputs/report.smk"


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
        version=versions.COMPARISON,
        checks=versions.QUALITY_RULE_CHECKS,
        quality_rules=get_all_quality_rule_settings,
        random=get_random_strategies,
        evaluations=get_evaluations_by_comparison,
        selection_benchmarks=get_selection_benchmarks,
        models=get_final_models,
        currency=get_currency,
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/report_summary.py"


rule report_comparison:
    input:
        evaluations=get_comparison_evaluations,
        item_losses=get_comparison_items,
        subsets=get_comparison_subset_files,
        subset_table=get_subset_table,
    output:
        page=report(
            "results/figures/comparisons/{comparison}.html",
            caption="../workflow/report/comparison.rst",
            category="2 Comparison",
            labels={"comparison": "{comparison}", "what": "page"},
        ),
        table=report(
            "results/tables/{comparison}.csv",
            caption="../workflow/report/comparison_table.rst",
            category="2 Comparison",
            labels={"comparison": "{comparison}", "what": "table as CSV"},
        ),
        runs="results/tables/runs/{comparison}.csv",
    log:
        "logs/report_comparison/{comparison}.log",
    params:
        version=versions.COMPARISON,
        baselines=get_baselines,
        selection_benchmarks=get_selection_benchmarks,
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/report_comparison.py"


rule report_benchmark:
    input:
        unpack(get_benchmark_page_inputs),
    output:
        page=report(
            "results/figures/benchmarks/{comparison}/{benchmark}.html",
            caption="../workflow/report/benchmark.rst",
            category="3 Benchmarks",
            labels={"comparison": "{comparison}", "benchmark": "{benchmark}"},
        ),
        table="results/tables/benchmarks/{comparison}/{benchmark}.csv",
    log:
        "logs/report_benchmark/{comparison}/{benchmark}.log",
    params:
        version=versions.COMPARISON,
        random=get_random_strategies,
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/report_benchmark.py"


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
            labels={"comparison": "{comparison}", "what": "costs"},
        ),
        strategies=report(
            "results/tables/costs/{comparison}/strategies.csv",
            caption="../workflow/report/costs_table.rst",
            category="2 Comparison",
            labels={"comparison": "{comparison}", "what": "costs as CSV"},
        ),
        parts="results/tables/costs/{comparison}/parts.csv",
    log:
        "logs/report_costs/{comparison}.log",
    params:
        version=versions.COSTS,
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
            labels={"comparison": "{comparison}", "what": "subsets as CSV"},
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


rule report_size_scan:
    input:
        evaluations=get_study_evaluations,
        per_item=get_study_items,
        subsets=get_study_subsets,
    output:
        page=report(
            "results/figures/size_scans/{study}.html",
            caption="../workflow/report/size_scan.rst",
            category="2 Comparison",
            labels={"comparison": "{study}", "what": "size scan"},
        ),
        table=report(
            "results/tables/size_scans/{study}.csv",
            caption="../workflow/report/size_scan.rst",
            category="2 Comparison",
            labels={"comparison": "{study}", "what": "size scan as CSV"},
        ),
    log:
        "logs/report_size_scan/{study}.log",
    params:
        version=versions.COMPARISON,
        random=get_random_strategies,
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/report_size_scan.py"


rule report_ablation:
    input:
        evaluations=get_study_evaluations,
        per_item=get_study_items,
        subsets=get_study_subsets,
        quality_rules=get_ablation_rules,
    output:
        page=report(
            "results/figures/ablations/{study}.html",
            caption="../workflow/report/ablation.rst",
            category="2 Comparison",
            labels={"comparison": "{study}", "what": "ablation"},
        ),
        table=report(
            "results/tables/ablations/{study}/differences.csv",
            caption="../workflow/report/ablation.rst",
            category="2 Comparison",
            labels={"comparison": "{study}", "what": "ablation as CSV"},
        ),
        rules="results/tables/ablations/{study}/rules.csv",
    log:
        "logs/report_ablation/{study}.log",
    params:
        version=versions.STUDIES,
        strategy=get_study_strategy,
        ablated=get_ablated,
        recipes=get_repeated_recipes,
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/report_ablation.py"


rule report_dataset_losses:
    input:
        evaluations=get_study_evaluations,
        subsets=get_study_subsets,
    output:
        page=report(
            "results/figures/dataset_losses/{study}.html",
            caption="../workflow/report/dataset_losses.rst",
            category="2 Comparison",
            labels={"comparison": "{study}", "what": "loss by dataset"},
        ),
        table=report(
            "results/tables/dataset_losses/{study}.csv",
            caption="../workflow/report/dataset_losses.rst",
            category="2 Comparison",
            labels={"comparison": "{study}", "what": "loss by dataset as CSV"},
        ),
    log:
        "logs/report_dataset_losses/{study}.log",
    params:
        version=versions.STUDIES,
        datasets=get_study_datasets,
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/report_dataset_losses.py"


rule report_overlaps:
    input:
        subsets=get_overlap_subsets,
        rankings=get_overlap_rankings,
    output:
        page=report(
            "results/figures/overlaps/{comparison}.html",
            caption="../workflow/report/overlaps.rst",
            category="2 Comparison",
            labels={"comparison": "{comparison}", "what": "overlaps"},
        ),
        table=report(
            "results/tables/overlaps/{comparison}.csv",
            caption="../workflow/report/overlaps.rst",
            category="2 Comparison",
            labels={"comparison": "{comparison}", "what": "overlaps as CSV"},
        ),
    log:
        "logs/report_overlaps/{comparison}.log",
    params:
        version=versions.COMPARISON,
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/report_overlaps.py"


rule report_contamination:
    input:
        subsets=get_comparison_subset_files,
        evaluated=get_evaluated_texts,
    output:
        page=report(
            "results/figures/contamination/{comparison}.html",
            caption="../workflow/report/contamination.rst",
            category="2 Comparison",
            labels={"comparison": "{comparison}", "what": "contamination"},
        ),
        table=report(
            "results/tables/contamination/{comparison}.csv",
            caption="../workflow/report/contamination.rst",
            category="2 Comparison",
            labels={"comparison": "{comparison}", "what": "contamination as CSV"},
        ),
        pairs="results/tables/contamination/{comparison}-pairs.csv",
    log:
        "logs/report_contamination/{comparison}.log",
    params:
        version=versions.COMPARISON,
        benchmarks=get_compared_benchmarks,
        examples=get_examples_pattern,
        ngram=get_report_ngram,
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/report_contamination.py"


rule report_agreement:
    input:
        evaluations=get_all_comparison_evaluations,
        subsets=get_all_comparison_subsets,
    output:
        page=report(
            "results/figures/agreement.html",
            caption="../workflow/report/agreement.rst",
            category="2 Comparison",
            labels={"comparison": "all", "what": "agreement"},
        ),
        benchmarks="results/tables/agreement/benchmarks.csv",
        sizes="results/tables/agreement/sizes.csv",
        recipes="results/tables/agreement/recipes.csv",
    log:
        "logs/report_agreement/agreement.log",
    params:
        version=versions.COMPARISON,
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/report_agreement.py"


rule report_search:
    input:
        search="results/searches/{search}.json",
    output:
        report(
            "results/figures/searches/{search}.html",
            caption="../workflow/report/search.rst",
            category="4 Search",
            labels={"search": "{search}"},
        ),
    log:
        "logs/report_search/{search}.log",
    params:
        settings=get_search_settings,
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/report_search.py"


rule report_quality_rule:
    input:
        quality_rule="results/quality_rules/{quality_rule}.json",
        observations="results/quality_rules/{quality_rule}/observations.csv",
        all_subsets="results/quality_rules/{quality_rule}/all_subsets.csv",
    output:
        page=report(
            "results/figures/quality_rules/{quality_rule}.html",
            caption="../workflow/report/quality_rule.rst",
            category="5 Quality rule",
            labels={"quality rule": "{quality_rule}", "what": "page"},
        ),
        coefficients=report(
            "results/tables/quality_rules/{quality_rule}/coefficients.csv",
            caption="../workflow/report/quality_rule_table.rst",
            category="5 Quality rule",
            labels={"quality rule": "{quality_rule}", "what": "coefficients as CSV"},
        ),
        latex=report(
            "results/tables/quality_rules/{quality_rule}/ols.tex",
            caption="../workflow/report/quality_rule_table.rst",
            category="5 Quality rule",
            labels={"quality rule": "{quality_rule}", "what": "regression as LaTeX"},
        ),
        fit="results/tables/quality_rules/{quality_rule}/fit.csv",
        published="results/tables/quality_rules/{quality_rule}/published.csv",
        standing="results/tables/quality_rules/{quality_rule}/standing.csv",
        chosen_sets="results/tables/quality_rules/{quality_rule}/chosen_sets.csv",
        influence="results/tables/quality_rules/{quality_rule}/influence.csv",
        without_influential="results/tables/quality_rules/{quality_rule}/without_influential.csv",
        univariate="results/tables/quality_rules/{quality_rule}/univariate.csv",
    log:
        "logs/report_quality_rule/{quality_rule}.log",
    params:
        settings=get_quality_rule_settings,
        against=get_published_beside,
        version=versions.QUALITY_RULE_CHECKS,
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/report_quality_rule.py"


rule report_indicators:
    input:
        indicators=get_all_indicator_tables,
        neighbours=get_all_neighbour_files,
        under_runs=get_all_run_scores,
        indicator_check=get_indicator_check,
    output:
        page=report(
            "results/figures/indicators.html",
            caption="../workflow/report/indicators.rst",
            category="6 Indicators",
            labels={"page": "distributions and check"},
        ),
        normality="results/tables/indicators/normality.csv",
    log:
        "logs/report_indicators/indicators.log",
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/report_indicators.py"


rule report_examples:
    input:
        ranking="results/rankings/{strategy}/{pool}.parquet",
        examples=get_pool_examples,
        indicators=get_pool_indicator_tables,
        summaries=get_pool_summaries,
    output:
        page=report(
            "results/figures/examples/{strategy}/{pool}.html",
            caption="../workflow/report/examples.rst",
            category="7 Examples",
            labels={"strategy": "{strategy}", "pool": "{pool}", "what": "page"},
        ),
        table=report(
            "results/tables/examples/{strategy}/{pool}.csv",
            caption="../workflow/report/examples.rst",
            category="7 Examples",
            labels={"strategy": "{strategy}", "pool": "{pool}", "what": "table as CSV"},
        ),
    log:
        "logs/report_examples/{strategy}/{pool}.log",
    params:
        examples=get_number_of_examples,
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/report_examples.py"


rule report_data:
    input:
        summaries=get_all_summaries,
    output:
        report(
            "results/figures/data.html",
            caption="../workflow/report/data.rst",
            category="8 Data",
            labels={"page": "datasets"},
        ),
    log:
        "logs/report_data/data.log",
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/report_data.py"
