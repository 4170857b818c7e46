"""AUC of every indicator between the chosen and the rejected side of held-out preference pairs."""

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0]):
    from instructmining.indicators.check import check_files
    from instructmining.jobs.files import write_json

    found, params = snakemake.input, snakemake.params
    shards = (found.chosen_shards, found.rejected_shards)
    result = check_files((found.chosen, found.rejected), shards, params.columns, params.settings, params.version)
    write_json(snakemake.output[0], result)
