"""Model card of a search's best run, and its subset with texts, for people and for `datasets`."""

from pathlib import Path

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0], snakemake.threads):
    import polars as pl

    from instructmining.data.examples import load_rows
    from instructmining.jobs.files import read_json, replacing, write_parquet, write_text
    from instructmining.training.card import model_card

    found, names = snakemake.input, dict(snakemake.wildcards)
    rows = load_rows(pl.read_parquet(found.subset), snakemake.params.examples)
    card = model_card(
        names,
        read_json(found.train),
        read_json(found.search),
        {Path(path).stem: read_json(path) for path in found.evaluations},
        read_json(found.quality_rule[0]) if found.quality_rule else None,
        snakemake.params.base,
        {Path(path).parent.name: read_json(path) for path in found.summaries},
    )
    write_parquet(rows, snakemake.output.parquet, names)
    with replacing(snakemake.output.jsonl) as temporary:
        rows.write_ndjson(temporary)
    write_text(snakemake.output.card, card)
