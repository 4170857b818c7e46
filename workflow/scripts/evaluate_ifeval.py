"""How far the responses of a run follow the instructions of IFEval, with the items it comes from."""

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0], snakemake.threads):
    import polars as pl

    from instructmining.data.examples import read_details, read_examples
    from instructmining.evaluations.ifeval import evaluate
    from instructmining.jobs.files import write_json, write_parquet

    settings = snakemake.params.settings
    asked = read_examples(snakemake.input.examples), read_details(snakemake.input.examples)
    figures, items = evaluate(*asked, pl.read_parquet(snakemake.input.generations), settings)
    known = {key: value for key, value in settings.items() if key != "nltk_data"}
    provenance = {"evaluation": "ifeval", "version": snakemake.params.version, **known, **dict(snakemake.wildcards)}
    write_parquet(items, snakemake.output.per_item, provenance)
    write_json(snakemake.output.figures, {**figures, "provenance": provenance})
