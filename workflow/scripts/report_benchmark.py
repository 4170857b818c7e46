"""The report's page of one benchmark in a comparison, and its items as CSV."""

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0], snakemake.threads):
    from instructmining.jobs.files import write_csv, write_text
    from instructmining.report.pages import benchmark
    from instructmining.tables import comparison

    evaluations = comparison.read_evaluations(snakemake.input.evaluations, snakemake.input.subsets)
    names = (snakemake.wildcards.comparison, snakemake.wildcards.benchmark)
    # a list of one, or of none where the items hold their texts
    examples = next(iter(snakemake.input.get("examples", [])), None)
    page, items = benchmark.page(*names, evaluations, snakemake.params.random, examples)
    write_csv(items, snakemake.output.table)
    write_text(snakemake.output.page, page)
