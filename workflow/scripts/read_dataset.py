from instructmining.joblog import job_log

with job_log(snakemake.log[0]):
    from instructmining.examples import prompts_of
    from instructmining.files import write_json, write_parquet
    from instructmining.reading import provenance, read_dataset, write_rejected

    examples, rejected, summary = read_dataset(
        snakemake.wildcards.dataset,
        snakemake.params.settings,
        archive=snakemake.input.get("archive"),
        excluded_prompts=prompts_of(snakemake.input.get("excluded", [])),
    )
    write_rejected(snakemake.output.rejected, rejected)
    write_json(snakemake.output.summary, summary)
    write_parquet(examples, snakemake.output.examples, provenance(summary))
