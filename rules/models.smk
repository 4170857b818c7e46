rule prepare_model:
    input:
        of(models.prepare_input),
    output:
        directory(paths.MODEL),
    log:
        paths.log("prepare_model/{model}"),
    params:
        settings=of(models.prepare_settings),
        version=versions.MODELS,
    benchmark:
        paths.cost("prepare_model/{model}")
    conda:
        "../envs/models.yaml"
    threads: 1
    resources:
        mem_mb=4000,
    script:
        "../workflow/scripts/prepare_model.py"
