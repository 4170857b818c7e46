"""The report's page "Search"."""

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0], snakemake.threads):
    from instructmining.jobs.files import read_json, write_text
    from instructmining.report.pages import search

    found = read_json(snakemake.input.search)
    write_text(snakemake.output[0], search.page(snakemake.wildcards.search, found, snakemake.params.settings))
