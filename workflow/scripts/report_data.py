"""The report's page "Data"."""

from pathlib import Path

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0], snakemake.threads):
    from instructmining.jobs.files import read_json, write_text
    from instructmining.report.pages import data

    summaries = {Path(path).parent.name: read_json(path) for path in snakemake.input.summaries}
    write_text(snakemake.output[0], data.page(summaries))
