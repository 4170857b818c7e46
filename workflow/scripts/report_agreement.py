"""The report's page "Agreement", and its tables as CSV."""

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0], snakemake.threads):
    import polars as pl

    from instructmining.jobs.files import write_csv, write_text
    from instructmining.report.pages import agreement as agreement_page
    from instructmining.tables import agreement
    from instructmining.tables.comparison import read_evaluations

    table = agreement.agreement(read_evaluations(snakemake.input.evaluations, snakemake.input.subsets))
    for between in ("benchmark", "size", "recipe"):
        write_csv(table.filter(pl.col("between") == between), snakemake.output[f"{between}s"])
    write_text(snakemake.output.page, agreement_page.page(table))
