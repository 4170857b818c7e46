# Pages 4 Search and 5 Quality rule: how examples were selected, and how many.
rule report_search:
    input:
        search=paths.SEARCH,
    output:
        report(
            paths.SEARCH_PAGE,
            caption="../workflow/report/search.rst",
            category="4 Search",
            labels={"search": "{search}"},
        ),
    log:
        paths.log("report_search/{search}"),
    params:
        settings=of(searches.choose_settings),
        version=versions.PAGES,
    localrule: True
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/report_search.py"


rule report_quality_rule:
    input:
        quality_rule=paths.QUALITY_RULE,
        observations=paths.OBSERVATIONS,
        all_subsets=paths.ALL_SUBSETS,
    output:
        page=report(
            paths.QUALITY_RULE_PAGE,
            caption="../workflow/report/quality_rule.rst",
            category="5 Quality rule",
            labels={"quality rule": "{quality_rule}", "what": "page"},
        ),
        coefficients=report(
            paths.QUALITY_RULE_TABLE.format(quality_rule="{quality_rule}", table="coefficients"),
            caption="../workflow/report/quality_rule_table.rst",
            category="5 Quality rule",
            labels={"quality rule": "{quality_rule}", "what": "coefficients as CSV"},
        ),
        latex=report(
            paths.QUALITY_RULE_LATEX,
            caption="../workflow/report/quality_rule_table.rst",
            category="5 Quality rule",
            labels={"quality rule": "{quality_rule}", "what": "regression as LaTeX"},
        ),
        fit=paths.QUALITY_RULE_TABLE.format(quality_rule="{quality_rule}", table="fit"),
        published=paths.QUALITY_RULE_TABLE.format(quality_rule="{quality_rule}", table="published"),
        standing=paths.QUALITY_RULE_TABLE.format(quality_rule="{quality_rule}", table="standing"),
        chosen_sets=paths.QUALITY_RULE_TABLE.format(quality_rule="{quality_rule}", table="chosen_sets"),
        influence=paths.QUALITY_RULE_TABLE.format(quality_rule="{quality_rule}", table="influence"),
        without_influential=paths.QUALITY_RULE_TABLE.format(quality_rule="{quality_rule}", table="without_influential"),
        univariate=paths.QUALITY_RULE_TABLE.format(quality_rule="{quality_rule}", table="univariate"),
    log:
        paths.log("report_quality_rule/{quality_rule}"),
    params:
        settings=of(quality_rules.fit_settings),
        against=of(quality_rules.compared_preset),
        version=[versions.QUALITY_RULE_CHECKS, versions.PAGES],
    localrule: True
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/report_quality_rule.py"
