"""The report's page "Comparison", and its table as CSV."""

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0], snakemake.threads):
    import polars as pl

    from instructmining.jobs.files import write_csv, write_text
    from instructmining.report.pages import comparison as comparison_page
    from instructmining.tables import benchmarks as benchmark_tables
    from instructmining.tables import comparison

    baselines = snakemake.params.baselines
    random = [name for name, kind in baselines.items() if kind == "random"]
    evaluations = comparison.read_evaluations(snakemake.input.evaluations, snakemake.input.subsets)
    table = comparison.compare(evaluations, baselines)
    runs = benchmark_tables.runs(evaluations)
    # a list of one, or of none where no strategy has a quality rule
    subsets = next(
        (pl.read_csv(path, schema_overrides=comparison.NAMES) for path in snakemake.input.subset_table), None
    )
    used = snakemake.params.selection_benchmarks
    page = comparison_page.page(snakemake.wildcards.comparison, evaluations, table, runs, random, used, subsets)
    write_csv(table, snakemake.output.table)
    write_csv(runs, snakemake.output.runs)
    write_text(snakemake.output.page, page)
