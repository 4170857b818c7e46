"""Loss of a run on one benchmark, with the items it comes from."""

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0], snakemake.threads):
    from instructmining.data.examples import read_examples
    from instructmining.evaluations.loss import evaluate
    from instructmining.jobs.files import write_json, write_parquet

    settings = snakemake.params.settings
    speed = {"batch_tokens": snakemake.resources.batch_tokens}
    figures, items = evaluate(snakemake.input.model, read_examples(snakemake.input.examples), {**settings, **speed})
    provenance = {"evaluation": "loss", "version": snakemake.params.version, **settings, **dict(snakemake.wildcards)}
    write_parquet(items, snakemake.output.per_item, provenance)
    write_json(snakemake.output.figures, {**figures, "provenance": provenance})
