"""Fit the preference head of an indicator entry on its preference pairs."""

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0], snakemake.threads):
    from instructmining import scorers
    from instructmining.data.examples import read_examples
    from instructmining.jobs.files import write_json
    from instructmining.models.preference_head import fit_from_examples

    sides = (read_examples(snakemake.input.chosen), read_examples(snakemake.input.rejected))
    settings = {**snakemake.params.settings, "batch_tokens": snakemake.resources.batch_tokens}
    head = fit_from_examples(*sides, settings)
    provenance = {**scorers.provenance({**settings, "outputs": {}}, {}), "version": snakemake.params.version}
    write_json(snakemake.output[0], {**head, "provenance": provenance})
