"""The report's page "Indicators", and its tests of normality as CSV."""

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0], snakemake.threads):
    from instructmining.jobs.files import read_json, write_csv, write_text
    from instructmining.report.pages import indicators

    # given by a function, so a list: of one, or empty
    found = snakemake.input
    check = read_json(found.indicator_check[0]) if found.indicator_check else None
    page, normal = indicators.page(found.indicators, found.neighbours, check, found.under_runs)
    write_csv(normal, snakemake.output.normality)
    write_text(snakemake.output.page, page)
