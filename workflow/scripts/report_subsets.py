"""A comparison's subsets as a table: losses, the rule's value of each, and minutes."""

from pathlib import Path

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0], snakemake.threads):
    import polars as pl

    from instructmining.costs import tables as cost_tables
    from instructmining.jobs.files import write_csv
    from instructmining.tables import comparison
    from instructmining.tables import subsets as subset_table

    found = snakemake.input
    evaluations = comparison.read_evaluations(found.evaluations, found.subsets)
    parts = pl.read_csv(found.parts, schema_overrides=cost_tables.PARTS_SCHEMA)
    subsets = {Path(path).with_suffix("").parts[-3:]: pl.read_parquet(path)["id"] for path in found.subsets}
    scores = {Path(path).with_suffix("").parts[-2:]: pl.read_parquet(path) for path in found.rankings}
    write_csv(subset_table.table(evaluations, parts, subsets, scores), snakemake.output[0])
