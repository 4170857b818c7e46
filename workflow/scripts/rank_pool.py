"""Put a pool in a strategy's order."""

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0]):
    from instructmining.jobs.files import write_parquet
    from instructmining.strategies.ranking import rank_pool

    found, params = snakemake.input, snakemake.params
    ranking, provenance = rank_pool(
        snakemake.wildcards.pool,
        params.strategy,
        params.columns,
        params.version,
        params.datasets,
        examples=found.examples,
        indicators=found.get("indicators", ()),
        quality_rule=found.get("quality_rule"),
        against=found.get("against", ()),
        embeddings=found.get("embeddings", ()),
    )
    write_parquet(ranking, snakemake.output[0], provenance)
