"""The best size among a search's trials."""

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0]):
    from instructmining.jobs.files import write_json
    from instructmining.selection.trials import search_result

    found, params, name = snakemake.input, snakemake.params, snakemake.wildcards.search
    result = search_result(name, found.proposals, found.evaluations, params.settings, params.version)
    write_json(snakemake.output[0], result)
