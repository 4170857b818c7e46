"""Put a pool in a strategy's order."""

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0]):
    import logging
    from pathlib import Path

    import polars as pl

    from instructmining import strategies
    from instructmining.data.pools import pool_examples
    from instructmining.indicators import table as indicator_table
    from instructmining.jobs.files import read_json, write_parquet
    from instructmining.selection import overlap

    settings, columns = snakemake.params.strategy, snakemake.params.columns
    indicators = snakemake.input.get("indicators", [])
    quality_rule = snakemake.input.get("quality_rule")
    rule = {"rule": read_json(quality_rule)} if quality_rule else {}
    against = {Path(path).parent.name: pl.read_parquet(path) for path in snakemake.input.get("against", [])}
    examples, repeated = pool_examples(
        [pl.read_parquet(path, columns=["id", "dataset"]) for path in snakemake.input.examples]
    )
    examples = indicator_table.attach(examples, indicators, columns)
    known = {**rule, "rankings": against}
    if embedded := snakemake.input.get("embeddings"):
        from instructmining.models import embeddings

        known["vectors"] = embeddings.read(embedded)
    ranking = strategies.load(settings["kind"]).rank(examples, {**settings, **known})
    counts = {
        "examples": ranking.height,
        "repeated_in_pool": repeated,
        "without_score": ranking["score"].null_count(),
    }
    logging.info("pool %s: %s", snakemake.wildcards.pool, counts)
    provenance = {
        "strategy": settings,
        "version": snakemake.params.version,
        "datasets": snakemake.params.datasets,
        "indicators": indicator_table.provenance(indicators),
        **({"embeddings": indicator_table.provenance(embedded)} if embedded else {}),
        **counts,
        **overlap.record(ranking, against, settings),
    }
    write_parquet(ranking, snakemake.output[0], provenance)
