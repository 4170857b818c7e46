"""The report's page "Quality rule"."""

from instructmining.joblog import job_log

with job_log(snakemake.log[0], snakemake.threads):
    import polars as pl

    from instructmining.files import read_json, write_text
    from instructmining.report import quality_rule

    page = quality_rule.page(
        snakemake.wildcards.quality_rule,
        read_json(snakemake.input.quality_rule),
        pl.read_csv(snakemake.input.observations),
        pl.read_csv(snakemake.input.all_subsets),
    )
    write_text(snakemake.output[0], page)
