"""A page of the report and its tables: rule report_{name} is made by report/pages/{name}.py."""

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0], snakemake.threads):
    from instructmining.report import making

    parts = (snakemake.wildcards, snakemake.input, snakemake.params, snakemake.output)
    making.write(snakemake.rule, snakemake.config, *(dict(part.items()) for part in parts))
