"""The report's page of losses by dataset, and its table as CSV."""

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0], snakemake.threads):
    from instructmining.jobs.files import write_csv, write_text
    from instructmining.report.pages import dataset_losses as dataset_losses_page
    from instructmining.tables import comparison, dataset_losses

    evaluations = comparison.read_evaluations(snakemake.input.evaluations, snakemake.input.subsets)
    table = dataset_losses.table(evaluations, snakemake.params.datasets)
    write_csv(table, snakemake.output.table)
    write_text(snakemake.output.page, dataset_losses_page.page(snakemake.wildcards.study, table))
