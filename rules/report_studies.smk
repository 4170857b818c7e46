# Page 2 Comparison, where the config has section studies: size scans, ablations, losses by dataset.
rule report_size_scan:
    input:
        evaluations=of(studies.study_evaluations),
        per_item=of(studies.study_items),
        subsets=of(studies.study_subsets),
    output:
        page=report(
            paths.SIZE_SCAN_PAGE,
            caption="../workflow/report/size_scan.rst",
            category="2 Comparison",
            subcategory="{study}",
            labels={"what": "size scan"},
        ),
        table=report(
            paths.SIZE_SCAN_TABLE,
            caption="../workflow/report/size_scan.rst",
            category="2 Comparison",
            subcategory="{study}",
            labels={"what": "size scan as CSV"},
        ),
    log:
        paths.log("report_size_scan/{study}"),
    params:
        version=[versions.COMPARISON, versions.PAGES],
        random=of(comparisons.random_strategies),
    localrule: True
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/report_size_scan.py"


rule report_ablation:
    input:
        evaluations=of(studies.study_evaluations),
        per_item=of(studies.study_items),
        subsets=of(studies.study_subsets),
        quality_rules=of(studies.ablation_rules),
    output:
        page=report(
            paths.ABLATION_PAGE,
            caption="../workflow/report/ablation.rst",
            category="2 Comparison",
            subcategory="{study}",
            labels={"what": "ablation"},
        ),
        table=report(
            paths.ABLATION_TABLE,
            caption="../workflow/report/ablation.rst",
            category="2 Comparison",
            subcategory="{study}",
            labels={"what": "ablation as CSV"},
        ),
        rules=paths.ABLATION_RULES_TABLE,
    log:
        paths.log("report_ablation/{study}"),
    params:
        version=[versions.STUDIES, versions.PAGES],
        strategy=of(studies.study_strategy),
        ablated=of(studies.ablated_indicators),
        recipes=of(studies.ablation_recipes),
    localrule: True
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/report_ablation.py"


rule report_dataset_losses:
    input:
        evaluations=of(studies.study_evaluations),
        subsets=of(studies.study_subsets),
    output:
        page=report(
            paths.DATASET_LOSSES_PAGE,
            caption="../workflow/report/dataset_losses.rst",
            category="2 Comparison",
            subcategory="{study}",
            labels={"what": "loss by dataset"},
        ),
        table=report(
            paths.DATASET_LOSSES_TABLE,
            caption="../workflow/report/dataset_losses.rst",
            category="2 Comparison",
            subcategory="{study}",
            labels={"what": "loss by dataset as CSV"},
        ),
    log:
        paths.log("report_dataset_losses/{study}"),
    params:
        version=[versions.STUDIES, versions.PAGES],
        datasets=of(studies.study_datasets),
    localrule: True
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/report_dataset_losses.py"
