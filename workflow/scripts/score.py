"""Score one shard of a dataset with one indicator entry."""

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0], snakemake.threads):
    import polars as pl

    from instructmining import scorers
    from instructmining.jobs.files import remove_folder, work_folder, write_parquet
    from instructmining.scorers import running

    settings = {**snakemake.params.settings, "batch_tokens": snakemake.resources.batch_tokens}
    settings |= {"token_cache": "results/.work/tokens", "work": work_folder(snakemake.output[0])}
    if settings["scorer"] == "judge":
        settings |= scorers.judge_settings(snakemake.config["indicators"], **snakemake.wildcards)
    gpus = max(1, snakemake.resources.gpu)
    frame = running.score(snakemake.input.examples, snakemake.wildcards.shard, settings, gpus)
    if snakemake.wildcards.get("pool"):
        frame = frame.with_columns(pl.lit(snakemake.wildcards.dataset).alias("dataset"))
    counts = scorers.check(frame, settings["outputs"].values(), snakemake.output[0])
    write_parquet(frame, snakemake.output[0], scorers.provenance(settings, counts))
    remove_folder(work_folder(snakemake.output[0]))
