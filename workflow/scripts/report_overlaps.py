"""The report's page "Overlaps", and its table as CSV."""

from pathlib import Path

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0], snakemake.threads):
    import polars as pl

    from instructmining.jobs.files import read_provenance, write_csv, write_text
    from instructmining.report.pages import overlaps
    from instructmining.selection import overlap

    subsets = {Path(path).with_suffix("").parts[-3:]: pl.read_parquet(path) for path in snakemake.input.subsets}
    pools, limits = {}, []
    for path in snakemake.input.rankings:
        order, pool = Path(path).with_suffix("").parts[-2:]
        pools[pool] = pl.scan_parquet(path).select(pl.len()).collect().item()
        limits += overlaps.limit(order, pool, read_provenance(path))
    table = overlap.table(subsets, pools)
    write_csv(table, snakemake.output.table)
    write_text(snakemake.output.page, overlaps.page(snakemake.wildcards.comparison, table, limits))
