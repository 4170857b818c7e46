"""Win rate of a run's answers against other runs', or against reference answers, with the items it comes from."""

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0], snakemake.threads):
    import polars as pl

    from instructmining.data.examples import read_details, read_examples
    from instructmining.evaluations.pairwise import drawn, evaluate, reference_answers
    from instructmining.jobs.files import write_json, write_parquet
    from instructmining.judge.asking import benchmark_settings

    settings, where = snakemake.params.settings, snakemake.input.examples
    examples = read_examples(where)
    ours = pl.read_parquet(snakemake.input.ours)
    others = [pl.read_parquet(path) for path in snakemake.input.theirs]
    seed = settings["generation"]["seed"]
    theirs = drawn(examples["id"].to_list(), others, seed) if others else reference_answers(examples, where)
    place = benchmark_settings(snakemake.config["benchmarks"], **snakemake.wildcards)
    speed = {"batch_tokens": snakemake.resources.batch_tokens}
    figures, items = evaluate(examples, read_details(where), ours, theirs, {**settings, **place, **speed})
    provenance = {"evaluation": "pairwise", "version": snakemake.params.version, **settings}
    provenance["judge"] = {key: value for key, value in settings["judge"].items() if key != "model_path"}
    provenance |= dict(snakemake.wildcards)
    write_parquet(items, snakemake.output.per_item, provenance)
    write_json(snakemake.output.figures, {**figures, "provenance": provenance})
