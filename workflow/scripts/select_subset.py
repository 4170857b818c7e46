"""Take the first k of a ranking; k is in the subset's name, a search's best size, or a trial's proposal."""

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0]):
    from instructmining.jobs.files import write_parquet
    from instructmining.selection.subsets import select_subset

    found, params, size = snakemake.input, snakemake.params, snakemake.wildcards.get("size")
    chosen_by = found.get("search") or found.get("proposal")
    subset, provenance = select_subset(found.ranking, size, params.strategy, params.pool, params.version, chosen_by)
    write_parquet(subset, snakemake.output[0], provenance)
