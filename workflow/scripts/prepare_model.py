"""Unpack or convert a model into a plain folder that every later job loads."""

from pathlib import Path

from instructmining.joblog import job_log

with job_log(snakemake.log[0], snakemake.threads):
    from instructmining.files import write_json
    from instructmining.models import prepare_model

    settings, target = snakemake.params.settings, Path(snakemake.output[0])
    in_archive = settings["file"] if "package" in settings else None
    prepare_model(Path(snakemake.input[0]), in_archive, target)
    write_json(target / "model.json", {**settings, "version": snakemake.params.version})
