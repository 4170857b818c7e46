"""All indicators of a dataset in one table: for people and the report, not for rankings."""

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0]):
    from instructmining import scorers
    from instructmining.data.examples import read_examples
    from instructmining.indicators import table as indicator_table
    from instructmining.jobs.files import write_parquet

    shards = snakemake.input.shards
    examples = read_examples(snakemake.input.examples).select("id", "dataset")
    table = indicator_table.attach(examples, shards, snakemake.params.columns).drop("dataset")
    origins, totals = indicator_table.provenance(shards), scorers.totals(shards)
    write_parquet(table, snakemake.output[0], {entry: {**origins[entry], **totals[entry]} for entry in origins})
