"""Responses of a run to the prompts of one benchmark."""

from pathlib import Path

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0], snakemake.threads):
    from instructmining.data.examples import read_examples
    from instructmining.jobs.files import remove_folder, work_folder, write_parquet
    from instructmining.models.generation import chosen_engine, generate

    settings, output = snakemake.params.settings, snakemake.output[0]
    speed = {"batch_tokens": snakemake.resources.batch_tokens}
    done = Path(work_folder(output), "done.jsonl")
    frame = generate(snakemake.input.model, read_examples(snakemake.input.examples), {**settings, **speed}, done)
    made = {"version": snakemake.params.version, **settings, "engine": chosen_engine(settings)}
    write_parquet(frame, output, {**made, **dict(snakemake.wildcards)})
    remove_folder(work_folder(output))
