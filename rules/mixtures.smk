include: "inputs/mixtures.smk"


rule draw_mixture:
    input:
        examples=get_mixture_examples,
    output:
        "results/subsets/mixtures/{block}-{i}.parquet",
    log:
        "logs/draw_mixture/{block}-{i}.log",
    params:
        block=get_mixture_block,
        version=versions.MIXTURES,
    benchmark:
        "results/costs/draw_mixture/{block}-{i}.tsv"
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    script:
        "../workflow/scripts/draw_mixture.py"
