"""Ask BlendSearch for the size of one trial."""

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0]):
    from instructmining.jobs.files import read_json, write_json
    from instructmining.selection.search import propose

    proposal = propose(
        int(snakemake.wildcards.t),
        [read_json(path) for path in snakemake.input.get("proposals", [])],
        [read_json(path)["value"] for path in snakemake.input.get("evaluations", [])],
        search=snakemake.wildcards.search,
        **snakemake.params.settings,
    )
    write_json(snakemake.output[0], proposal)
