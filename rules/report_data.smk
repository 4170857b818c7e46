# Pages 6 Indicators, 7 Examples and 8 Data: what was read and scored.
rule report_indicators:
    input:
        indicators=of(data_pages.indicator_tables),
        neighbours=of(data_pages.neighbour_files),
        under_runs=of(data_pages.run_score_files),
        indicator_check=of(data_pages.indicator_check),
    output:
        page=report(
            paths.INDICATORS_PAGE,
            caption="../workflow/report/indicators.rst",
            category="6 Indicators",
            labels={"page": "distributions and check"},
        ),
        normality=paths.NORMALITY_TABLE,
    log:
        paths.log("report_indicators/indicators"),
    params:
        version=versions.PAGES,
    localrule: True
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/report_indicators.py"


rule report_examples:
    input:
        ranking=paths.RANKING.format(ranking="{strategy}", pool="{pool}"),
        examples=of(data_pages.pool_examples),
        indicators=of(data_pages.pool_indicator_tables),
        summaries=of(rankings.pool_summaries),
    output:
        page=report(
            paths.EXAMPLES_PAGE,
            caption="../workflow/report/examples.rst",
            category="7 Examples",
            labels={"strategy": "{strategy}", "pool": "{pool}", "what": "page"},
        ),
        table=report(
            paths.EXAMPLES_TABLE,
            caption="../workflow/report/examples.rst",
            category="7 Examples",
            labels={"strategy": "{strategy}", "pool": "{pool}", "what": "table as CSV"},
        ),
    log:
        paths.log("report_examples/{strategy}/{pool}"),
    params:
        examples=of(data_pages.number_of_examples),
        version=versions.PAGES,
    localrule: True
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/report_examples.py"


rule report_data:
    input:
        summaries=of(data_pages.all_summaries),
    output:
        report(
            paths.DATA_PAGE,
            caption="../workflow/report/data.rst",
            category="8 Data",
            labels={"page": "datasets"},
        ),
    log:
        paths.log("report_data/data"),
    params:
        version=versions.PAGES,
    localrule: True
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/report_data.py"
