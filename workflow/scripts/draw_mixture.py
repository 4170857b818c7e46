"""Draw one mixture: an id list."""

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0]):
    import polars as pl

    from instructmining.data.mixtures import draw_mixture
    from instructmining.jobs.files import write_parquet

    settings = snakemake.params.block
    paths = zip(settings["datasets"], snakemake.input.examples, strict=True)
    pools = {dataset: pl.read_parquet(path, columns=["id"])["id"] for dataset, path in paths}
    block, i = snakemake.wildcards.block, int(snakemake.wildcards.i)
    mixture = draw_mixture(pools, settings["size"], settings["seed"], block, i)
    provenance = {**settings, "block": block, "i": i, "version": snakemake.params.version}
    write_parquet(mixture, snakemake.output[0], provenance)
