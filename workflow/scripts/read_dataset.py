from instructmining.jobs.log import job_log

with job_log(snakemake.log[0]):
    from instructmining.data.examples import item_texts, prompts_of
    from instructmining.data.ngrams import Index
    from instructmining.data.reading import provenance, read_dataset, write_rejected
    from instructmining.jobs.files import write_json, write_parquet

    settings, held_out = snakemake.params.settings, snakemake.input.get("excluded_ngrams", [])
    texts = [text for path in held_out for item in item_texts(path) for text in item]
    examples, rejected, summary = read_dataset(
        snakemake.wildcards.dataset,
        settings,
        archive=snakemake.input.get("archive"),
        excluded_prompts=prompts_of(snakemake.input.get("excluded", [])),
        excluded_ngrams=Index(texts, settings["ngram"]) if held_out else None,
    )
    write_rejected(snakemake.output.rejected, rejected)
    write_json(snakemake.output.summary, summary)
    write_parquet(examples, snakemake.output.examples, provenance(summary))
