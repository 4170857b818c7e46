"""Score one shard of a dataset with one indicator entry."""

from instructmining.joblog import job_log

with job_log(snakemake.log[0], snakemake.threads):
    from instructmining import scorers
    from instructmining.examples import scan_examples
    from instructmining.files import write_parquet

    settings = {**snakemake.params.settings, "batch_tokens": snakemake.resources.batch_tokens}
    frame = scorers.score(scan_examples(snakemake.input.examples), snakemake.wildcards.shard, settings)
    counts = scorers.check(frame, settings["outputs"].values(), snakemake.output[0])
    write_parquet(frame, snakemake.output[0], scorers.provenance(settings, counts))
