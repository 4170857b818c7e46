# Pages 2 Comparison and 3 Benchmarks: strategies against random subsets, and what the subsets share.
include: "inputs/report_comparison.smk"


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
            subcategory="{comparison}",
            labels={"what": "comparison"},
        ),
        table=report(
            "results/tables/{comparison}.csv",
            caption="../workflow/report/comparison_table.rst",
            category="2 Comparison",
            subcategory="{comparison}",
            labels={"what": "comparison as CSV"},
        ),
        runs="results/tables/runs/{comparison}.csv",
    log:
        "logs/report_comparison/{comparison}.log",
    params:
        version=[versions.COMPARISON, versions.PAGES],
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
        version=[versions.COMPARISON, versions.PAGES],
        random=get_random_strategies,
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/report_benchmark.py"


rule report_overlaps:
    input:
        subsets=get_overlap_subsets,
        rankings=get_overlap_rankings,
    output:
        page=report(
            "results/figures/overlaps/{comparison}.html",
            caption="../workflow/report/overlaps.rst",
            category="2 Comparison",
            subcategory="{comparison}",
            labels={"what": "overlaps"},
        ),
        table=report(
            "results/tables/overlaps/{comparison}.csv",
            caption="../workflow/report/overlaps.rst",
            category="2 Comparison",
            subcategory="{comparison}",
            labels={"what": "overlaps as CSV"},
        ),
    log:
        "logs/report_overlaps/{comparison}.log",
    params:
        version=[versions.COMPARISON, versions.PAGES],
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
            subcategory="{comparison}",
            labels={"what": "contamination"},
        ),
        table=report(
            "results/tables/contamination/{comparison}.csv",
            caption="../workflow/report/contamination.rst",
            category="2 Comparison",
            subcategory="{comparison}",
            labels={"what": "contamination as CSV"},
        ),
        pairs="results/tables/contamination/{comparison}-pairs.csv",
    log:
        "logs/report_contamination/{comparison}.log",
    params:
        version=[versions.COMPARISON, versions.PAGES],
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
            subcategory="all comparisons",
            labels={"what": "agreement"},
        ),
        benchmarks="results/tables/agreement/benchmarks.csv",
        sizes="results/tables/agreement/sizes.csv",
        recipes="results/tables/agreement/recipes.csv",
    log:
        "logs/report_agreement/agreement.log",
    params:
        version=[versions.COMPARISON, versions.PAGES],
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/report_agreement.py"
