"""Ask BlendSearch for the size of one trial."""

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0]):
    from instructmining.jobs.files import write_json
    from instructmining.selection.trials import proposal

    found, names, settings = snakemake.input, snakemake.wildcards, snakemake.params.settings
    earlier, evaluations = found.get("proposals", ()), found.get("evaluations", ())
    write_json(snakemake.output[0], proposal(names.search, int(names.t), earlier, evaluations, settings))
