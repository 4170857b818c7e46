"""Draw one mixture: an id list."""

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0]):
    from instructmining.data.mixtures import mixture
    from instructmining.jobs.files import write_parquet

    settings, names = snakemake.params.block, snakemake.wildcards
    examples = dict(zip(settings["datasets"], snakemake.input.examples, strict=True))
    subset, provenance = mixture(examples, settings, names.block, int(names.i), snakemake.params.version)
    write_parquet(subset, snakemake.output[0], provenance)
