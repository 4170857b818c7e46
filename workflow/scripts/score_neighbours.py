"""Score the examples of a dataset, a pool, or a block of mixtures by their nearest neighbours' embeddings."""

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0], snakemake.threads):
    from instructmining.jobs.files import write_parquet
    from instructmining.scorers.neighbours import scored_neighbours

    found, output = snakemake.input, snakemake.output[0]
    mixtures = found.get("mixtures", ())
    frame, provenance = scored_neighbours(found.embeddings, snakemake.params.settings, mixtures, output)
    write_parquet(frame, output, provenance)
