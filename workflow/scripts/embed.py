"""Embed one shard of a dataset: the only part of an indicator by neighbours that needs a model."""

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0], snakemake.threads):
    from instructmining.jobs.files import remove_folder, work_folder, write_parquet
    from instructmining.scorers.running import embedded_shard

    found, params, resources, output = snakemake.input, snakemake.params, snakemake.resources, snakemake.output[0]
    speed = {"batch_tokens": resources.batch_tokens, "work": work_folder(output)}
    shard, version = snakemake.wildcards.shard, params.version
    frame, provenance = embedded_shard(found.examples, shard, params.settings, speed, resources.gpu, version)
    write_parquet(frame, output, provenance)
    remove_folder(work_folder(output))
