"""Figures of a run on one benchmark, whatever its kind, with the items that they come from."""

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0], snakemake.threads):
    from instructmining.evaluations.job import EvaluationJob, evaluate
    from instructmining.jobs.files import work_folder, write_json, write_parquet

    found, output, resources = snakemake.input, snakemake.output, snakemake.resources
    job = EvaluationJob(
        **snakemake.wildcards,
        model=found.get("model", ""),
        examples=found.get("examples", ""),
        answers=found.get("answers", ""),
        others=found.get("others", ()),
        entry=snakemake.config["benchmarks"][snakemake.wildcards.benchmark],
        work=work_folder(output.per_item),
    )
    speed = {key: resources.get(key) for key in ("batch_tokens", "batch_size")}
    figures, items = evaluate(job, snakemake.params.settings, speed, snakemake.params.version)
    write_parquet(items, output.per_item, figures["provenance"])
    write_json(output.figures, figures)
