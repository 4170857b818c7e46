"""What the jobs of a study read and depend on: one module a stage, with inputs and params of rules/{stage}.smk.

A function here is given the checked config and the wildcards of a job, ``(config, wildcards)``, and returns paths,
params or resources; the rules call it as ``of(function)`` (rules/common.smk). Params hold what a result depends on, and
no more: Snakemake runs a job again when their text has changed, so their values and the order of their keys must stay.
Every job of a cluster reads these modules: they import nothing heavy, and nothing of Snakemake.
"""
