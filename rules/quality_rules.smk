include: "inputs/quality_rules.smk"


rule fit_quality_rule:
    input:
        unpack(get_quality_rule_inputs),
    output:
        quality_rule="results/quality_rules/{quality_rule}.json",
        observations="results/quality_rules/{quality_rule}/observations.csv",
        all_subsets="results/quality_rules/{quality_rule}/all_subsets.csv",
        diagnostics="results/quality_rules/{quality_rule}/diagnostics.json",
    log:
        "logs/fit_quality_rule/{quality_rule}.log",
    params:
        settings=get_quality_rule_settings,
        columns=get_quality_rule_columns,
        version=versions.QUALITY_RULES,
    benchmark:
        "results/costs/fit_quality_rule/{quality_rule}.tsv"
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=20,
    script:
        "../workflow/scripts/fit_quality_rule.py"
