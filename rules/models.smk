include: "inputs/models.smk"


rule prepare_model:
    input:
        get_model_source,
    output:
        directory("results/models/{model}"),
    log:
        "logs/prepare_model/{model}.log",
    params:
        settings=get_model_settings,
        version=versions.MODELS,
    benchmark:
        "results/costs/prepare_model/{model}.tsv"
    conda:
        "../envs/models.yaml"
    threads: 1
    resources:
        mem_mb=4000,
    script:
        "../workflow/scripts/prepare_model.py"
