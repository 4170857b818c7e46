# Pages 2 Comparison and 3 Benchmarks: strategies against random subsets, and what the subsets share.
rule report_comparison:
    input:
        evaluations=of(comparisons.comparison_evaluation_files),
        item_losses=of(comparisons.comparison_items),
        subsets=of(comparisons.comparison_subset_files),
        subset_table=of(comparisons.subset_table),
    output:
        page=report(
            paths.COMPARISON_PAGE,
            caption="../workflow/report/comparison.rst",
            category="2 Comparison",
            subcategory="{comparison}",
            labels={"what": "comparison"},
        ),
        table=report(
            paths.COMPARISON_TABLE,
            caption="../workflow/report/comparison_table.rst",
            category="2 Comparison",
            subcategory="{comparison}",
            labels={"what": "comparison as CSV"},
        ),
        runs=paths.RUNS_TABLE,
    log:
        paths.log("report_comparison/{comparison}"),
    params:
        version=[versions.COMPARISON, versions.PAGES],
        baselines=of(comparisons.baselines),
        selection_benchmarks=of(comparisons.selection_benchmarks),
    localrule: True
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/report_comparison.py"


rule report_benchmark:
    input:
        unpack(of(comparisons.benchmark_page_inputs)),
    output:
        page=report(
            paths.BENCHMARK_PAGE,
            caption="../workflow/report/benchmark.rst",
            category="3 Benchmarks",
            labels={"comparison": "{comparison}", "benchmark": "{benchmark}"},
        ),
        table=paths.BENCHMARK_TABLE,
    log:
        paths.log("report_benchmark/{comparison}/{benchmark}"),
    params:
        version=[versions.COMPARISON, versions.PAGES],
        random=of(comparisons.random_strategies),
    localrule: True
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/report_benchmark.py"


rule report_overlaps:
    input:
        subsets=of(comparisons.overlap_subsets),
        rankings=of(comparisons.overlap_rankings),
    output:
        page=report(
            paths.OVERLAPS_PAGE,
            caption="../workflow/report/overlaps.rst",
            category="2 Comparison",
            subcategory="{comparison}",
            labels={"what": "overlaps"},
        ),
        table=report(
            paths.OVERLAPS_TABLE,
            caption="../workflow/report/overlaps.rst",
            category="2 Comparison",
            subcategory="{comparison}",
            labels={"what": "overlaps as CSV"},
        ),
    log:
        paths.log("report_overlaps/{comparison}"),
    params:
        version=[versions.COMPARISON, versions.PAGES],
    localrule: True
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/report_overlaps.py"


rule report_contamination:
    input:
        subsets=of(comparisons.comparison_subset_files),
        evaluated=of(comparisons.evaluated_text_files),
    output:
        page=report(
            paths.CONTAMINATION_PAGE,
            caption="../workflow/report/contamination.rst",
            category="2 Comparison",
            subcategory="{comparison}",
            labels={"what": "contamination"},
        ),
        table=report(
            paths.CONTAMINATION_TABLE,
            caption="../workflow/report/contamination.rst",
            category="2 Comparison",
            subcategory="{comparison}",
            labels={"what": "contamination as CSV"},
        ),
        pairs=paths.CONTAMINATION_PAIRS_TABLE,
    log:
        paths.log("report_contamination/{comparison}"),
    params:
        version=[versions.COMPARISON, versions.PAGES],
        benchmarks=of(comparisons.compared_benchmarks),
        examples=of(runs.examples_pattern),
        ngram=of(comparisons.report_ngram),
    localrule: True
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/report_contamination.py"


rule report_agreement:
    input:
        evaluations=of(comparisons.all_comparison_evaluations),
        subsets=of(comparisons.all_comparison_subsets),
    output:
        page=report(
            paths.AGREEMENT_PAGE,
            caption="../workflow/report/agreement.rst",
            category="2 Comparison",
            subcategory="all comparisons",
            labels={"what": "agreement"},
        ),
        benchmarks=paths.AGREEMENT_TABLE.format(between="benchmarks"),
        sizes=paths.AGREEMENT_TABLE.format(between="sizes"),
        recipes=paths.AGREEMENT_TABLE.format(between="recipes"),
    log:
        paths.log("report_agreement/agreement"),
    params:
        version=[versions.COMPARISON, versions.PAGES],
    localrule: True
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/report_agreement.py"
