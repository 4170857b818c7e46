"""Fit the preference head of an indicator entry on its preference pairs."""

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0], snakemake.threads):
    from instructmining.jobs.files import write_json
    from instructmining.scorers.preference_heads import preference_head

    found, params = snakemake.input, snakemake.params
    settings = {**params.settings, "batch_tokens": snakemake.resources.batch_tokens}
    write_json(snakemake.output[0], preference_head(found.chosen, found.rejected, settings, params.version))
