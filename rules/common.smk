# The checked config, what wildcards may be, and what the targets are. Nothing here runs a job.
import os
import shlex
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

SOURCE = str(Path(workflow.basedir) / "src")
# jobs import the package from this checkout, wherever they run
sys.path.insert(0, SOURCE)
# large tensors on huge pages: a sixth less time for training on a CPU (docs/log.md); other C libraries ignore it
os.environ.setdefault("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1")
os.environ.update(PYTHONPATH=os.pathsep.join([SOURCE, *filter(None, [os.environ.get("PYTHONPATH")])]))

from instructmining.costs import jobs as costs
from instructmining.selection import search
from instructmining.settings import versions
from instructmining.config import (
    EMBEDDING_KEYS,
    ablated,
    against_orders,
    against_runs,
    all_ablated,
    comparison_baselines,
    comparison_evaluations,
    comparison_subsets,
    dataset_columns,
    dataset_pools,
    embedding_entry,
    entries_for,
    evaluated_texts,
    generation_owner,
    generation_owners,
    load_defaults_and_check,
    mixture_names,
    neighbour_entries,
    repeated_recipes,
    rule_columns,
    run_entries,
    run_subset,
    scoring_runs,
    seeded_names,
    shards,
    strategy_columns,
    strategy_embeddings,
    strategy_settings,
    studies_of_kind,
    warnings,
)
from instructmining.training.recipes import NOT_RESULTS
from instructmining.config.loading import load_config
from instructmining.jobs.errors import InputError
from instructmining.report.opening import open_on_summary
from instructmining.judge.settings import CALL_KEYS
from instructmining.scorers import output_columns


def get_checked_config():
    """The config with every default, or one line that names the key."""
    where = ", ".join(os.path.relpath(path) for path in workflow.overwrite_configfiles or workflow.configfiles)
    try:
        # what loading a file hides: keys that are written twice, `yes` as a name
        for path in workflow.overwrite_configfiles or workflow.configfiles:
            load_config(Path(path))
        return load_defaults_and_check(config, where)
    except InputError as error:
        raise WorkflowError(str(error)) from None


class Section(dict):
    """A section of the config whose missing names are the user's mistake: one line, not a KeyError."""

    def __init__(self, name, content):
        super().__init__(content)
        self.name = name

    def __reduce__(self):
        # jobs get the config pickled, and know nothing of this class
        return dict, (dict(self),)

    def __missing__(self, key):
        raise WorkflowError(f"this target needs {key!r} in section {self.name!r} of the config, which has no such name")


config = {
    name: Section(name, content) if isinstance(content, dict) else content
    for name, content in get_checked_config().items()
}
for warning in warnings(config):
    logger.warning(f"warning: {warning}")


wildcard_constraints:
    batch=r"\d\d\d+",
    benchmark=r"[a-z0-9_]+",
    block=r"[a-z0-9_]+",
    comparison=r"[a-z0-9_]+",
    dataset=r"[a-z0-9_]+",
    entry=r"[a-z0-9_]+",
    i=r"\d\d\d+",
    model=r"[a-z0-9_]+",
    pool=r"[a-z0-9_]+",
    quality_rule=r"[a-z0-9_]+",
    ranking=r"(?!(?:mixtures|searches)/)[a-z0-9_]+(?:-\d+)?",
    recipe=r"[a-z0-9_]+",
    reference_set=r"[a-z0-9_]+|pools/[a-z0-9_]+|mixtures/[a-z0-9_]+",
    search=r"[a-z0-9_]+",
    shard=r"\d+-of-\d+",
    size=r"[1-9]\d*|all|best-[a-z0-9_]+",
    strategy=r"[a-z0-9_]+(?:-\d+)?",
    study=r"[a-z0-9_]+",
    subset=r"mixtures/[a-z0-9_]+-\d+|searches/[a-z0-9_]+/\d+|[a-z0-9_]+(?:-\d+)?/[a-z0-9_]+/(?:\d+|all|best-[a-z0-9_]+)",
    t=r"\d\d\d+",


def get_best_subset(name):
    """The subset that a search ends with."""
    settings = config["searches"][name]
    return f"{settings['strategy']}/{settings['pool']}/best-{name}"


def get_kept_subsets():
    """Subsets whose runs keep their weights: the best of every search, and comparisons that ask for it."""
    kept = [get_best_subset(name) for name in config["searches"]]
    for name, settings in config["comparisons"].items():
        kept += comparison_subsets(config, name) if settings["keep_models"] else []
    kept += [run_subset(config, entry, pool) for entry in get_kept_scorers() for pool in config["pools"]]
    return sorted(set(kept))


def get_kept_scorers():
    """Indicators whose run keeps its model, to score with it again."""
    return [entry for entry in run_entries(config) if config["indicators"][entry]["run"]["keep_model"]]


# a pattern that nothing matches where nothing is kept
KEPT_SUBSETS = "|".join(get_kept_subsets()) or "(?!)"


def get_kept_models():
    """Models of the comparisons that keep theirs: named, so that they are there even where only they are missing."""
    return [
        f"results/runs/{recipe}/{subset}/model"
        for name, settings in config["comparisons"].items()
        if settings["keep_models"]
        for recipe in settings["recipes"]
        for subset in comparison_subsets(config, name)
    ]


def get_final_files():
    """The run that each search ends with: its model, its card, its subset."""
    runs = [f"results/runs/{s['recipe']}/{get_best_subset(name)}" for name, s in config["searches"].items()]
    return [f"{run}/{file}" for run in runs for file in ("model", "README.md", "subset.parquet", "subset.jsonl")]


def get_comparison_files(name, folder, end):
    """One file a recipe, subset and benchmark of a comparison."""
    return [f"results/{folder}/{'/'.join(parts)}{end}" for parts in comparison_evaluations(config, name)]


def get_targets():
    """Everything the config names."""
    return [
        *(f"results/quality_rules/{name}.json" for name in config["quality_rules"]),
        *(f"results/searches/{name}.json" for name in config["searches"]),
        *(path for name in config["comparisons"] for path in get_comparison_files(name, "evaluations", ".json")),
        *get_final_files(),
        *get_kept_models(),
        *get_report_pages(),
        # named, since Snakemake does not ask what else has changed of a job one of whose outputs was never made
        *(f"results/tables/runs/{name}.csv" for name in config["comparisons"]),
        *(f"results/tables/quality_rules/{name}/ols.tex" for name in config["quality_rules"]),
        *(["results/tables/indicators/normality.csv"] if get_shown_rankings() else []),
    ]


def get_subset_targets(wildcards):
    """Subsets that are known without a search: what grown data change before anything is trained."""
    named = [subset for name in config["comparisons"] for subset in comparison_subsets(config, name)]
    fixed = [subset for subset in named if not Path(subset).name.startswith("best-")]
    blocks = [block["name"] for block in config["mixtures"]]
    mixtures = [f"mixtures/{name}" for name in mixture_names(config, blocks)]
    return [f"results/subsets/{subset}.parquet" for subset in dict.fromkeys([*mixtures, *fixed])]


def get_search_targets(wildcards):
    """Searches, and the subsets of the sizes that they find."""
    return [*(f"results/searches/{name}.json" for name in config["searches"]), *get_best_subsets()]


def get_chosen_targets(wildcards):
    """Subsets of search trials and of sizes found, as far as there are any."""
    trials = [
        f"results/subsets/searches/{name}/{t:03d}.parquet"
        for name, settings in config["searches"].items()
        for t in range(settings["trials"])
    ]
    return [path for path in [*trials, *get_best_subsets()] if Path(path).exists()]


def get_best_subsets():
    named = [subset for name in config["comparisons"] for subset in comparison_subsets(config, name)]
    best = [subset for subset in named if Path(subset).name.startswith("best-")]
    return [f"results/subsets/{subset}.parquet" for subset in dict.fromkeys(best)]


def get_report_pages():
    """The report's pages for what the config has."""
    pages = ["results/figures/summary.html"] if config["quality_rules"] or config["comparisons"] else []
    pages += ["results/figures/data.html"] if config["datasets"] else []
    pages += [f"results/figures/comparisons/{name}.html" for name in config["comparisons"]]
    pages += [
        f"results/figures/benchmarks/{name}/{one}.html"
        for name in config["comparisons"]
        for one in get_compared_on(name)
    ]
    pages += get_cost_pages()
    pages += [f"results/figures/size_scans/{name}.html" for name in studies_of_kind(config, "size_scan")]
    pages += [f"results/figures/ablations/{name}.html" for name in studies_of_kind(config, "ablation")]
    pages += [f"results/figures/dataset_losses/{name}.html" for name in studies_of_kind(config, "datasets")]
    pages += [f"results/figures/overlaps/{name}.html" for name, s in config["comparisons"].items() if s["sizes"]]
    pages += [f"results/figures/contamination/{name}.html" for name in config["comparisons"]]
    pages += ["results/figures/agreement.html"] if config["comparisons"] else []
    pages += [f"results/figures/searches/{name}.html" for name in config["searches"]]
    pages += [f"results/figures/quality_rules/{name}.html" for name in get_shown_quality_rules()]
    pages += ["results/figures/indicators.html"] if get_shown_rankings() else []
    pages += [f"results/figures/examples/{strategy}/{pool}.html" for strategy, pool in get_shown_rankings()]
    return pages


def get_compared_on(name):
    """Benchmarks on which a comparison has evaluations, sorted."""
    return list(evaluated_texts(config, name))


def get_cost_pages():
    return [f"results/figures/costs/{name}.html" for name in config["comparisons"]]


def get_rankings():
    """Strategy (or one of its orders) and pool of every ranking that a search or comparison uses."""
    used = [(settings["strategy"], settings["pool"]) for settings in config["searches"].values()]
    for settings in config["comparisons"].values():
        used += [(strategy, pool) for strategy in settings["strategies"] for pool in settings["pools"]]
    return sorted(set(used))


def get_shown_quality_rules():
    """Those with a page of their own: a rule without an indicator is on its ablation's."""
    repeated = all_ablated(config)
    return [name for name in config["quality_rules"] if name not in repeated]


def get_shown_rankings():
    """Those by a quality rule: their best and worst examples are a page of the report."""
    repeated = all_ablated(config)
    kinds = {name: settings["kind"] for name, settings in config["strategies"].items() if name not in repeated}
    return [(strategy, pool) for strategy, pool in get_rankings() if kinds.get(strategy) == "quality_rule"]
