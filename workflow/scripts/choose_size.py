"""The best size among a search's trials."""

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0]):
    from instructmining.jobs.files import read_json, write_json
    from instructmining.selection.search import choose

    paths = zip(snakemake.input.proposals, snakemake.input.evaluations, strict=True)
    pairs = [(read_json(proposal), read_json(evaluation)) for proposal, evaluation in paths]
    trials = [{"trial": p["trial"], "size": p["size"], "value": e["value"]} for p, e in pairs]
    provenance = {**snakemake.params.settings, "versions": pairs[0][0]["versions"], "version": snakemake.params.version}
    best = choose(trials, snakemake.wildcards.search)
    write_json(snakemake.output[0], {**best, "provenance": provenance})
