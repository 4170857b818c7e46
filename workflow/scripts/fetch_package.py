from instructmining.jobs.log import job_log

with job_log(snakemake.log[0]):
    from instructmining.data.packages import fetch_package

    package, version = snakemake.wildcards.package, snakemake.wildcards.version
    fetch_package(package, version, snakemake.params.sha256, snakemake.params.archive, snakemake.output[0])
