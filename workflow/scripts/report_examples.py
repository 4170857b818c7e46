"""The report's page "Examples", and its rows as CSV."""

from pathlib import Path

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0], snakemake.threads):
    import polars as pl

    from instructmining.jobs.files import read_json, write_csv, write_text
    from instructmining.report.pages import data, examples

    found = snakemake.input
    ranking = pl.read_parquet(found.ranking)
    sources = {Path(path).parent.name: data.source(read_json(path)) for path in found.summaries}
    frame = examples.extremes(ranking, found.examples, found.indicators, sources, snakemake.params.examples)
    page = examples.page(snakemake.wildcards.strategy, snakemake.wildcards.pool, frame, ranking.height)
    write_csv(frame, snakemake.output.table)
    write_text(snakemake.output.page, page)
