"""Train a recipe on a subset, or on several in turn; what is whole goes into place at the end."""

from pathlib import Path

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0], snakemake.threads):
    import polars as pl

    from instructmining.config.params import complete
    from instructmining.data.examples import load_rows
    from instructmining.jobs.disk import naming
    from instructmining.jobs.files import link_folder, remove_folder, write_json, write_seconds
    from instructmining.training.launch import Run, launch, working

    params = snakemake.params
    subsets = [Path(path).relative_to("results/subsets").with_suffix("") for path in snakemake.input.subsets]
    runs = [
        Run(load_rows(pl.read_parquet(path), params.examples), Path(params.work) / subset)
        for path, subset in zip(snakemake.input.subsets, subsets, strict=True)
    ]
    # a job of one run fills the run's folder; of several, a folder each inside its own
    own = snakemake.output.get("train")
    folders = [Path(own).parent if own else Path(snakemake.output[0]) / subset.name for subset in subsets]
    recipe = {**complete("recipes", params.recipe), "checkpoint_minutes": snakemake.resources.checkpoint_seconds / 60}
    with working(runs), naming(runs[0].work if own else params.work):
        found = launch(runs, recipe, {"path": params.model_path, **params.model_record})
        provenance = {**params.model_record, "version": params.version, "seed": params.recipe["seed"]}
        for subset, run, folder, figures in zip(subsets, runs, folders, found, strict=True):
            # linked, not moved: Snakemake empties its outputs if this job dies here; what is trained must not be lost
            link_folder(run.work / "model", folder / "model")
            names = {"recipe": snakemake.wildcards.recipe, "subset": str(subset)}
            write_json(folder / "train.json", {**names, **figures, "settings": params.recipe, "provenance": provenance})
            if not own:
                write_seconds(folder / "cost.tsv", sum(figures["seconds"].values()))
        for run in runs:
            remove_folder(run.work)
