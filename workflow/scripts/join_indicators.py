"""All indicators of a dataset in one table: for people and the report, not for rankings."""

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0]):
    from instructmining.indicators.table import dataset_table
    from instructmining.jobs.files import write_parquet

    found, columns = snakemake.input, snakemake.params.columns
    table, provenance = dataset_table(snakemake.wildcards.dataset, found.examples, found.shards, columns)
    write_parquet(table, snakemake.output[0], provenance)
