"""Take the first k of a ranking; k is in the subset's name, a search's best size, or a trial's proposal."""

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0]):
    import polars as pl

    from instructmining.jobs.files import read_json, write_parquet
    from instructmining.selection.rankings import take

    strategy, pool = snakemake.params.strategy, snakemake.params.pool
    if search := snakemake.input.get("search"):
        size = read_json(search)["best_size"]
    elif proposal := snakemake.input.get("proposal"):
        size = read_json(proposal)["size"]
    else:
        size = None if snakemake.wildcards.size == "all" else int(snakemake.wildcards.size)
    subset = take(pl.read_parquet(snakemake.input.ranking), size, pool)
    # Nothing here may depend on the rest of the pool: a run is repeated when its subset's bytes change.
    provenance = {"strategy": strategy, "pool": pool, "size": subset.height, "version": snakemake.params.version}
    write_parquet(subset, snakemake.output[0], provenance)
