"""Score one shard of a dataset with one indicator entry."""

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0], snakemake.threads):
    from instructmining import scorers
    from instructmining.jobs.files import remove_folder, work_folder, write_parquet
    from instructmining.scorers.running import scored_shard

    names, resources, output = dict(snakemake.wildcards), snakemake.resources, snakemake.output[0]
    settings = {**snakemake.params.settings, "batch_tokens": resources.batch_tokens, "work": work_folder(output)}
    settings |= scorers.judge_settings(snakemake.config["indicators"], **names)
    frame, provenance = scored_shard(snakemake.input.examples, settings, names, resources.gpu, output)
    write_parquet(frame, output, provenance)
    remove_folder(work_folder(output))
