rule fetch_package:
    output:
        paths.PACKAGE,
    log:
        paths.log("fetch_package/{package}-{version}"),
    params:
        sha256=of(datasets.package_sha256),
        archive=of(datasets.package_archive),
    wildcard_constraints:
        package=r"[A-Za-z0-9][A-Za-z0-9._-]*",
        version=r"[0-9][0-9A-Za-z.+!]*",
    localrule: True
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/fetch_package.py"


rule read_dataset:
    input:
        unpack(of(datasets.read_inputs)),
    output:
        examples=paths.EXAMPLES,
        rejected=paths.REJECTED,
        summary=paths.DATASET_SUMMARY,
    log:
        paths.log("read_dataset/{dataset}"),
    params:
        settings=of(datasets.read_settings),
        version=versions.DATASETS,
    benchmark:
        paths.cost("read_dataset/{dataset}")
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    script:
        "../workflow/scripts/read_dataset.py"
