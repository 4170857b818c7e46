"""The report's page "Costs", and its tables as CSV."""

from pathlib import Path

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0], snakemake.threads):
    import polars as pl

    from instructmining.costs import jobs as costs
    from instructmining.costs import ledger
    from instructmining.costs import tables as cost_tables
    from instructmining.jobs.files import read_json, write_csv, write_text
    from instructmining.report.pages import costs as costs_page
    from instructmining.tables import comparison

    found, params, config, name = snakemake.input, snakemake.params, snakemake.config, snakemake.wildcards.comparison
    rows = {Path(path).stem: pl.scan_parquet(path).select(pl.len()).collect().item() for path in found.rankings}
    runs = [read_json(path) for path in found.runs]
    jobs = costs.comparison_jobs(config, name)
    measured = ledger.read_ledger(params.costs, jobs)
    missing = [job for job in jobs if job not in measured.seconds]
    parts = cost_tables.parts_table(config, name, measured)
    everything = cost_tables.everything_table(config, name, measured, runs, rows)
    strategies = cost_tables.strategies_table(parts, everything, params.prices)
    evaluations = comparison.read_evaluations(found.evaluations, found.subsets)
    units = {Path(path).stem: costs_page.unit_words(read_json(path)) for path in found.evaluations}
    priced = cost_tables.has_price(parts, params.prices)
    write_csv(parts.with_columns(cost_tables.money(params.prices, priced)), snakemake.output.parts)
    write_csv(strategies, snakemake.output.strategies)
    page = costs_page.page(name, parts, strategies, evaluations, units, params.prices, params.random, jobs, missing)
    write_text(snakemake.output.page, page)
