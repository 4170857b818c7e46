"""Score of a run on tasks of lm-evaluation-harness, with the items it comes from."""

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0], snakemake.threads):
    from instructmining.evaluations.harness import evaluate
    from instructmining.jobs.files import write_json, write_parquet

    settings = snakemake.params.settings
    # resources are whole numbers
    speed = {"batch_size": snakemake.resources.batch_size or "auto"}
    figures, items = evaluate(snakemake.input.model, {**settings, **speed})
    provenance = {"evaluation": "harness", "version": snakemake.params.version, **settings, **dict(snakemake.wildcards)}
    write_parquet(items, snakemake.output.per_item, provenance)
    write_json(snakemake.output.figures, {**figures, "provenance": provenance})
