"""Embed one shard of a dataset: the only part of an indicator by neighbours that needs a model."""

from instructmining.joblog import job_log

with job_log(snakemake.log[0], snakemake.threads):
    from instructmining.embeddings import embed_examples
    from instructmining.examples import scan_examples
    from instructmining.files import write_parquet
    from instructmining.scorers import take_shard

    params = snakemake.params
    settings = {**params.settings, "batch_tokens": snakemake.resources.batch_tokens}
    examples = take_shard(scan_examples(snakemake.input.examples), snakemake.wildcards.shard)
    provenance = {**settings["model_record"], "dtype": settings["precision"], "version": params.version}
    write_parquet(embed_examples(examples, settings), snakemake.output[0], provenance)
