"""The report's page "Contamination", its table and the pairs behind it as CSV."""

from pathlib import Path

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0], snakemake.threads):
    import polars as pl

    from instructmining.jobs.files import write_csv, write_text
    from instructmining.report.pages.contamination import page
    from instructmining.tables import contamination

    params, name = snakemake.params, snakemake.wildcards.comparison
    subsets = {"/".join(Path(p).with_suffix("").parts[-3:]): pl.read_parquet(p) for p in snakemake.input.subsets}
    evaluated = dict(zip(params.benchmarks, snakemake.input.evaluated, strict=True))
    table, pairs = contamination.tables(evaluated, subsets, params.examples, params.ngram)
    write_csv(table, snakemake.output.table)
    write_csv(pairs, snakemake.output.pairs)
    write_text(snakemake.output.page, page(name, table, pairs, params.ngram))
