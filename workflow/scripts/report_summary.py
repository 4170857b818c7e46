"""The report's page "Summary"."""

from pathlib import Path

from instructmining.joblog import job_log

with job_log(snakemake.log[0], snakemake.threads):
    import polars as pl

    from instructmining.comparison import TABLE_SCHEMA, read_evaluations
    from instructmining.files import read_json, write_text
    from instructmining.report import summary
    from instructmining.report.examples import read_extremes

    found, params = snakemake.input, snakemake.params
    rules = {
        Path(rule).stem: (read_json(rule), pl.read_csv(observations))
        for rule, observations in zip(found.quality_rules, found.observations, strict=True)
    }
    evaluations = read_evaluations(found.evaluations, found.subsets)
    comparisons = {
        Path(table).stem: (
            pl.read_csv(table, schema=TABLE_SCHEMA),
            evaluations.filter(pl.col("path").is_in(params.evaluations[Path(table).stem])),
            params.random,
        )
        for table in found.comparisons
    }
    page = summary.page(
        rules=rules,
        check=read_json(found.indicator_check[0]) if found.indicator_check else None,
        searches={Path(path).stem: read_json(path) for path in found.searches},
        comparisons=comparisons,
        extremes={" on ".join(Path(path).with_suffix("").parts[-2:]): read_extremes(path) for path in found.examples},
        runs=[read_json(path) for path in found.runs],
        models=params.models,
        selection_benchmarks=params.selection_benchmarks,
    )
    write_text(snakemake.output[0], page)
