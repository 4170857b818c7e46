"""Estimate a quality rule from runs or from a CSV of observations, or write down a published one."""

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0]):
    from instructmining.jobs.files import write_csv, write_json
    from instructmining.quality_rules.fitting import quality_rule

    found, params, name = snakemake.input, snakemake.params, snakemake.wildcards.quality_rule
    made = quality_rule(
        name,
        params.settings,
        params.columns,
        params.version,
        table=snakemake.config["quality_rules"][name].get("observations"),
        mixtures=found.get("mixtures", ()),
        evaluations=found.get("evaluations", ()),
        indicators=found.get("indicators", ()),
    )
    write_json(snakemake.output.quality_rule, made.rule)
    write_csv(made.observations, snakemake.output.observations)
    write_csv(made.all_subsets, snakemake.output.all_subsets)
    write_json(snakemake.output.diagnostics, made.diagnostics)
