# Pages 6 Indicators, 7 Examples and 8 Data: what was read and scored.
include: "inputs/report_data.smk"


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
    params:
        version=versions.PAGES,
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
        version=versions.PAGES,
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
    params:
        version=versions.PAGES,
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/report_data.py"
