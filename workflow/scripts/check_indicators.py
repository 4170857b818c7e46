"""AUC of every indicator between the chosen and the rejected side of held-out preference pairs."""

from instructmining.joblog import job_log

with job_log(snakemake.log[0]):
    from instructmining import indicator_table
    from instructmining.examples import read_examples
    from instructmining.files import write_json
    from instructmining.indicator_check import check_indicators

    found, params = snakemake.input, snakemake.params
    origins = indicator_table.provenance(found.chosen_shards)
    words = {column: text for origin in origins.values() for column, text in origin["directions"].items()}
    sides = [
        indicator_table.attach(read_examples(examples).select("id", "dataset", "row"), shards, params.columns)
        for examples, shards in ((found.chosen, found.chosen_shards), (found.rejected, found.rejected_shards))
    ]
    result = check_indicators(*sides, {column: words[column] for column in params.columns})
    provenance = {**params.settings, "version": params.version, "indicators": origins}
    write_json(snakemake.output[0], {**result, "provenance": provenance})
