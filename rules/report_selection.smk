# Pages 4 Search and 5 Quality rule: how examples were selected, and how many.
include: "inputs/report_selection.smk"


rule report_search:
    input:
        search="results/searches/{search}.json",
    output:
        report(
            "results/figures/searches/{search}.html",
            caption="../workflow/report/search.rst",
            category="4 Search",
            labels={"search": "{search}"},
        ),
    log:
        "logs/report_search/{search}.log",
    params:
        settings=get_search_settings,
        version=versions.PAGES,
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/report_search.py"


rule report_quality_rule:
    input:
        quality_rule="results/quality_rules/{quality_rule}.json",
        observations="results/quality_rules/{quality_rule}/observations.csv",
        all_subsets="results/quality_rules/{quality_rule}/all_subsets.csv",
    output:
        page=report(
            "results/figures/quality_rules/{quality_rule}.html",
            caption="../workflow/report/quality_rule.rst",
            category="5 Quality rule",
            labels={"quality rule": "{quality_rule}", "what": "page"},
        ),
        coefficients=report(
            "results/tables/quality_rules/{quality_rule}/coefficients.csv",
            caption="../workflow/report/quality_rule_table.rst",
            category="5 Quality rule",
            labels={"quality rule": "{quality_rule}", "what": "coefficients as CSV"},
        ),
        latex=report(
            "results/tables/quality_rules/{quality_rule}/ols.tex",
            caption="../workflow/report/quality_rule_table.rst",
            category="5 Quality rule",
            labels={"quality rule": "{quality_rule}", "what": "regression as LaTeX"},
        ),
        fit="results/tables/quality_rules/{quality_rule}/fit.csv",
        published="results/tables/quality_rules/{quality_rule}/published.csv",
        standing="results/tables/quality_rules/{quality_rule}/standing.csv",
        chosen_sets="results/tables/quality_rules/{quality_rule}/chosen_sets.csv",
        influence="results/tables/quality_rules/{quality_rule}/influence.csv",
        without_influential="results/tables/quality_rules/{quality_rule}/without_influential.csv",
        univariate="results/tables/quality_rules/{quality_rule}/univariate.csv",
    log:
        "logs/report_quality_rule/{quality_rule}.log",
    params:
        settings=get_quality_rule_settings,
        against=get_published_beside,
        version=[versions.QUALITY_RULE_CHECKS, versions.PAGES],
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/report_quality_rule.py"
