# Page 2 Comparison, where the config has section studies: size scans, ablations, losses by dataset.
include: "inputs/report_studies.smk"


rule report_size_scan:
    input:
        evaluations=get_study_evaluations,
        per_item=get_study_items,
        subsets=get_study_subsets,
    output:
        page=report(
            "results/figures/size_scans/{study}.html",
            caption="../workflow/report/size_scan.rst",
            category="2 Comparison",
            subcategory="{study}",
            labels={"what": "size scan"},
        ),
        table=report(
            "results/tables/size_scans/{study}.csv",
            caption="../workflow/report/size_scan.rst",
            category="2 Comparison",
            subcategory="{study}",
            labels={"what": "size scan as CSV"},
        ),
    log:
        "logs/report_size_scan/{study}.log",
    params:
        version=[versions.COMPARISON, versions.PAGES],
        random=get_random_strategies,
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/report_size_scan.py"


rule report_ablation:
    input:
        evaluations=get_study_evaluations,
        per_item=get_study_items,
        subsets=get_study_subsets,
        quality_rules=get_ablation_rules,
    output:
        page=report(
            "results/figures/ablations/{study}.html",
            caption="../workflow/report/ablation.rst",
            category="2 Comparison",
            subcategory="{study}",
            labels={"what": "ablation"},
        ),
        table=report(
            "results/tables/ablations/{study}/differences.csv",
            caption="../workflow/report/ablation.rst",
            category="2 Comparison",
            subcategory="{study}",
            labels={"what": "ablation as CSV"},
        ),
        rules="results/tables/ablations/{study}/rules.csv",
    log:
        "logs/report_ablation/{study}.log",
    params:
        version=[versions.STUDIES, versions.PAGES],
        strategy=get_study_strategy,
        ablated=get_ablated,
        recipes=get_repeated_recipes,
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/report_ablation.py"


rule report_dataset_losses:
    input:
        evaluations=get_study_evaluations,
        subsets=get_study_subsets,
    output:
        page=report(
            "results/figures/dataset_losses/{study}.html",
            caption="../workflow/report/dataset_losses.rst",
            category="2 Comparison",
            subcategory="{study}",
            labels={"what": "loss by dataset"},
        ),
        table=report(
            "results/tables/dataset_losses/{study}.csv",
            caption="../workflow/report/dataset_losses.rst",
            category="2 Comparison",
            subcategory="{study}",
            labels={"what": "loss by dataset as CSV"},
        ),
    log:
        "logs/report_dataset_losses/{study}.log",
    params:
        version=[versions.STUDIES, versions.PAGES],
        datasets=get_study_datasets,
    conda:
        "../envs/base.yaml"
    threads: 1
    script:
        "../workflow/scripts/report_dataset_losses.py"
