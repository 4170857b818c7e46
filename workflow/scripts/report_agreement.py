"""The report's page "Agreement", and its tables as CSV."""

from instructmining.joblog import job_log

with job_log(snakemake.log[0], snakemake.threads):
    import polars as pl

    from instructmining import agreement
    from instructmining.comparison import read_evaluations
    from instructmining.files import write_csv, write_text
    from instructmining.report import agreement as agreement_page

    table = agreement.agreement(read_evaluations(snakemake.input.evaluations, snakemake.input.subsets))
    for between in ("benchmark", "size", "recipe"):
        write_csv(table.filter(pl.col("between") == between), snakemake.output[f"{between}s"])
    write_text(snakemake.output.page, agreement_page.page(table))
