rule fit_quality_rule:
    input:
        unpack(of(quality_rules.fit_inputs)),
    output:
        quality_rule=paths.QUALITY_RULE,
        observations=paths.OBSERVATIONS,
        all_subsets=paths.ALL_SUBSETS,
        diagnostics=paths.DIAGNOSTICS,
    log:
        paths.log("fit_quality_rule/{quality_rule}"),
    params:
        settings=of(quality_rules.fit_settings),
        columns=of(quality_rules.fit_columns),
        version=versions.QUALITY_RULES,
    benchmark:
        paths.cost("fit_quality_rule/{quality_rule}")
    localrule: True
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=20,
    script:
        "../workflow/scripts/fit_quality_rule.py"
