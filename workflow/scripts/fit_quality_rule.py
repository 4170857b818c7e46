"""Estimate a quality rule from runs or from a CSV of observations, or write down a published one."""

from pathlib import Path

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0]):
    from instructmining.indicators import table as indicator_table
    from instructmining.jobs.errors import InputError
    from instructmining.jobs.files import read_json, sha256, write_csv, write_json
    from instructmining.quality_rules import diagnostics, observations, regression

    settings = snakemake.params.settings
    columns = snakemake.params.columns
    provenance = {"settings": settings, "version": snakemake.params.version}
    nulls: dict[str, int] = {}
    source = f"quality rule {snakemake.wildcards.quality_rule}"  # or the file of observations

    if "preset" in settings:
        rule = regression.published(settings["preset"], settings.get("columns"))
        table, sets = observations.empty(rule["indicators"]), diagnostics.no_sets()
    else:
        if "observations" in settings:
            source = snakemake.config["quality_rules"][snakemake.wildcards.quality_rule]["observations"]
            table = observations.from_csv(source, columns, settings.get("origin"))
            provenance["sha256"] = sha256(source)
        else:
            mixtures = [Path(path).stem for path in snakemake.input.mixtures]
            evaluations = [read_json(path) for path in snakemake.input.evaluations]
            losses = {name: found["value"] for name, found in zip(mixtures, evaluations, strict=True)}
            examples = observations.mixture_examples(snakemake.input.mixtures)
            examples = indicator_table.attach(examples, snakemake.input.indicators, columns)
            table, nulls = observations.from_runs(examples, losses, columns)
            provenance["indicators"] = indicator_table.provenance(snakemake.input.indicators)
            provenance["evaluations"] = indicator_table.in_common([found["provenance"] for found in evaluations])
        try:
            rule, sets = regression.estimate(table, settings, columns)
        except InputError as error:
            raise InputError(f"{source}: {error}") from error

    write_json(snakemake.output.quality_rule, {**rule, "provenance": provenance})
    write_csv(regression.with_predictions(rule, table), snakemake.output.observations)
    write_csv(sets, snakemake.output.all_subsets)
    write_json(snakemake.output.diagnostics, regression.summary(rule, sets, nulls))
