rule draw_mixture:
    input:
        examples=of(mixtures.draw_examples),
    output:
        paths.MIXTURE,
    log:
        paths.log("draw_mixture/{block}-{i}"),
    params:
        block=of(mixtures.draw_settings),
        version=versions.MIXTURES,
    benchmark:
        paths.cost("draw_mixture/{block}-{i}")
    localrule: True
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    script:
        "../workflow/scripts/draw_mixture.py"
