"""The report's page "Summary"."""

from pathlib import Path

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0], snakemake.threads):
    import polars as pl

    from instructmining.jobs.files import read_json, write_text
    from instructmining.quality_rules import checks as rule_checks
    from instructmining.report.pages import summary
    from instructmining.tables.comparison import NAMES, TABLE_SCHEMA, read_evaluations

    found, params = snakemake.input, snakemake.params
    rules = {}
    for path, observed, sets in zip(found.quality_rules, found.observations, found.all_subsets, strict=True):
        rule, frames = read_json(path), (pl.read_csv(observed), pl.read_csv(sets))
        checks = rule_checks.check(rule, *frames, params.quality_rules[Path(path).stem], None)
        rules[Path(path).stem] = summary.Rule(rule, *frames, checks)
    evaluations = read_evaluations(found.evaluations, found.subsets)
    comparisons = {
        Path(table).stem: summary.Compared(
            pl.read_csv(table, schema=TABLE_SCHEMA),
            evaluations.filter(pl.col("path").is_in(params.evaluations[Path(table).stem])),
            pl.read_csv(costs, infer_schema_length=None, schema_overrides=NAMES),
        )
        for table, costs in zip(found.comparisons, found.costs, strict=True)
    }
    study = summary.Study(
        rules=rules,
        check=read_json(found.indicator_check[0]) if found.indicator_check else None,
        searches={Path(path).stem: read_json(path) for path in found.searches},
        scans={Path(path).stem: pl.read_csv(path, schema_overrides=NAMES) for path in found.size_scans},
        comparisons=comparisons,
        runs=[read_json(path) for path in found.runs],
        models=params.models,
        random=params.random,
        selection_benchmarks=params.selection_benchmarks,
        currency=params.currency,
        pages=params.pages,
    )
    write_text(snakemake.output[0], summary.page(study))
