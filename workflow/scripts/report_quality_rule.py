"""The report's page "Quality rule", and its tables as CSV and LaTeX."""

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0], snakemake.threads):
    import polars as pl

    from instructmining.jobs.files import read_json, write_csv, write_text
    from instructmining.quality_rules import checks as rule_checks
    from instructmining.quality_rules import tables as rule_tables
    from instructmining.report.pages import quality_rule

    name, params, made = snakemake.wildcards.quality_rule, snakemake.params, snakemake.output
    rule = read_json(snakemake.input.quality_rule)
    observations = pl.read_csv(snakemake.input.observations)
    sets = pl.read_csv(snakemake.input.all_subsets)
    checks = rule_checks.check(rule, observations, sets, params.settings, params.against)
    for table, frame in checks._asdict().items():
        write_csv(frame, made[table])
    write_text(made.latex, rule_tables.latex(name, checks.coefficients, checks.fit))
    write_text(made.page, quality_rule.page(name, rule, observations, sets, checks))
