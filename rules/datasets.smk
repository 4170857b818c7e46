include: "inputs/datasets.smk"


rule fetch_package:
    output:
        "results/packages/{package}-{version}.archive",
    log:
        "logs/fetch_package/{package}-{version}.log",
    params:
        sha256=lambda wildcards: get_package(wildcards)["sha256"],
        archive=lambda wildcards: get_package(wildcards)["archive"],
    wildcard_constraints:
        package=r"[A-Za-z0-9][A-Za-z0-9._-]*",
        version=r"[0-9][0-9A-Za-z.+!]*",
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/fetch_package.py"


rule read_dataset:
    input:
        unpack(get_dataset_inputs),
    output:
        examples="results/datasets/{dataset}/examples.parquet",
        rejected="results/datasets/{dataset}/rejected.jsonl",
        summary="results/datasets/{dataset}/summary.json",
    log:
        "logs/read_dataset/{dataset}.log",
    params:
        settings=get_dataset_settings,
        version=versions.DATASETS,
    benchmark:
        "results/costs/read_dataset/{dataset}.tsv"
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    script:
        "../workflow/scripts/read_dataset.py"
