"""Verdicts of a run on one of LLMBar's sets, with the items they come from."""

from pathlib import Path

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0], snakemake.threads):
    from instructmining.data.examples import read_details, read_examples
    from instructmining.evaluations.llmbar import evaluate
    from instructmining.jobs.files import work_folder, write_json, write_parquet

    settings, source = snakemake.params.settings, snakemake.input.examples
    speed = {"batch_tokens": snakemake.resources.batch_tokens}
    done = Path(work_folder(snakemake.output.per_item), "answers.jsonl")
    found = evaluate(snakemake.input.model, read_examples(source), read_details(source), {**settings, **speed}, done)
    provenance = {"evaluation": "llmbar", "version": snakemake.params.version, **settings, **dict(snakemake.wildcards)}
    write_parquet(found[1], snakemake.output.per_item, provenance)
    write_json(snakemake.output.figures, {**found[0], "provenance": provenance})
