"""The report's page "Search"."""

from instructmining.joblog import job_log

with job_log(snakemake.log[0], snakemake.threads):
    from instructmining.files import read_json, write_text
    from instructmining.report import search

    found = read_json(snakemake.input.search)
    write_text(snakemake.output[0], search.page(snakemake.wildcards.search, found, snakemake.params.settings))
