"""Train a recipe on a subset; the model moves into place when it is whole."""

from pathlib import Path

from instructmining.joblog import job_log

with job_log(snakemake.log[0], snakemake.threads):
    import polars as pl

    from instructmining.disk import naming
    from instructmining.examples import load_rows
    from instructmining.files import remove_folder, write_json
    from instructmining.launch import launch

    params, work = snakemake.params, Path(snakemake.params.work)
    examples = load_rows(pl.read_parquet(snakemake.input.subset), params.examples)
    recipe = {**params.recipe, "checkpoint_minutes": snakemake.resources.checkpoint_seconds / 60}
    with naming(work):
        figures = launch(examples, recipe, {"path": params.model_path, **params.model_record}, work)
    (work / "model").rename(snakemake.output.model)
    provenance = {**params.model_record, "version": params.version, "seed": params.recipe["seed"]}
    names = {"recipe": snakemake.wildcards.recipe, "subset": snakemake.wildcards.subset}
    write_json(snakemake.output.train, {**names, **figures, "settings": params.recipe, "provenance": provenance})
    remove_folder(work)
