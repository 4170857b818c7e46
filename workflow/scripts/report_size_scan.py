"""The report's page of a size scan, and its table as CSV."""

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0], snakemake.threads):
    from instructmining.jobs.files import write_csv, write_text
    from instructmining.report.pages import size_scan as size_scan_page
    from instructmining.tables import size_scan
    from instructmining.tables.comparison import read_evaluations

    random = snakemake.params.random
    evaluations = read_evaluations(snakemake.input.evaluations, snakemake.input.subsets)
    table, points = size_scan.scan(evaluations, random)
    page = size_scan_page.page(snakemake.wildcards.study, evaluations, random, table, points)
    write_csv(table, snakemake.output.table)
    write_text(snakemake.output.page, page)
