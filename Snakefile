# InstructMining: config, schema, includes, targets. The stages are in rules/, in the order the data flows.
from snakemake.utils import min_version

min_version("9.27")


# a config named with --configfile replaces the embedded default: Snakemake would merge the two
if not workflow.overwrite_configfiles:

    configfile: f"{workflow.basedir}/config/config.yaml"


report: "workflow/report/workflow.rst"


include: "rules/common.smk"
include: "rules/datasets.smk"
include: "rules/models.smk"
include: "rules/indicators.smk"
include: "rules/mixtures.smk"
include: "rules/quality_rules.smk"
include: "rules/rankings.smk"
include: "rules/runs.smk"
include: "rules/searches.smk"
include: "rules/evaluations.smk"
include: "rules/report.smk"


rule all:
    default_target: True
    input:
        targets.everything(config),
    localrule: True


# after data have grown: run this target first, then all; what selects the same examples is then not trained again
rule subsets:
    input:
        of(targets.subsets),
    localrule: True


# after a ranking has changed, with --allowed-rules select_trial select_subset chosen: a search whose trials select the same
# examples is then not repeated
rule chosen:
    input:
        of(targets.chosen),
    localrule: True


# after a search has got more trials: where it finds the same size, the runs of that size are then not trained again
rule searches:
    input:
        of(targets.searches),
    localrule: True


# With a limit on starts a second, which cannot be switched off, every job that ends has the scheduler woken once a second more
# from then on (snakemake/snakemake#3744): after some hundred jobs a core's work
onstart:
    workflow.scheduler.job_rate_limiter = None


# not --report-after-run: that fails on a dry run and writes a report without pages after a partial one
onsuccess:
    for old, newer in costs.stale_pages(config).items():
        logger.warning(f"warning: {old} is older than {newer} of its measurements: --forcerun report_costs")
    expected = pages.report_pages(config)
    if expected and all(Path(page).exists() for page in expected):
        named = " ".join(shlex.quote(str(path)) for path in workflow.overwrite_configfiles)
        # several are laid over one another where they are named together, and only there
        configs = f"--configfile {named}" if named else ""
        shell(
            "{sys.executable} -m snakemake --snakefile {workflow.main_snakefile:q} --workflow-profile none"
            " --cores 1 --quiet all {configs} --report {paths.REPORT}"
        )
        # a study of datasets alone has none
        if pages.page_path("summary") in expected:
            open_on_summary(paths.REPORT)
