"""Embed one shard of a dataset: the only part of an indicator by neighbours that needs a model."""

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0], snakemake.threads):
    from instructmining.jobs.files import remove_folder, work_folder, write_parquet
    from instructmining.scorers import running

    params, resources = snakemake.params, snakemake.resources
    settings = {**params.settings, "batch_tokens": resources.batch_tokens, "work": work_folder(snakemake.output[0])}
    frame = running.embed(snakemake.input.examples, snakemake.wildcards.shard, settings, max(1, resources.gpu))
    write_parquet(frame, snakemake.output[0], running.embedded(frame, params.settings, params.version))
    remove_folder(settings["work"])
