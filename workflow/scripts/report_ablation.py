"""The report's page of an ablation, and its tables as CSV."""

from pathlib import Path

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0], snakemake.threads):
    import polars as pl

    from instructmining.jobs.files import read_json, write_csv, write_text
    from instructmining.report.pages import ablation as ablation_page
    from instructmining.tables import ablation, comparison

    found, params, study = snakemake.input, snakemake.params, snakemake.wildcards.study
    evaluations = comparison.read_evaluations(found.evaluations, found.subsets)
    ids = {Path(path).with_suffix("").parts[-3:]: pl.read_parquet(path)["id"] for path in found.subsets}
    table = ablation.table(evaluations, params.ablated, params.recipes, ids)
    rules = {Path(path).stem: read_json(path) for path in found.quality_rules}
    coefficients = ablation.coefficients(rules, params.ablated)
    write_csv(table, snakemake.output.table)
    write_csv(coefficients, snakemake.output.rules)
    write_text(snakemake.output.page, ablation_page.page(study, params.strategy, table, coefficients))
