"""Score the examples of a dataset, a pool, or a block of mixtures by their nearest neighbours' embeddings."""

from pathlib import Path

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0], snakemake.threads):
    import polars as pl

    from instructmining import scorers
    from instructmining.jobs.files import write_parquet
    from instructmining.models import embeddings

    settings, found = snakemake.params.settings, snakemake.input
    embedded = embeddings.read(found.embeddings)
    mixtures = {Path(path).stem: pl.read_parquet(path) for path in found.get("mixtures", [])}
    frame, how = scorers.load(settings["scorer"]).score(embedded, settings, mixtures)
    frame = frame.rename(settings["outputs"])
    counts = scorers.check(frame, settings["outputs"].values(), snakemake.output[0])
    provenance = {**scorers.provenance(settings, counts), "neighbours": how}
    write_parquet(frame, snakemake.output[0], provenance)
