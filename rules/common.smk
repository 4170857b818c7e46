# The checked config, how the rules call functions of it, and what wildcards may be. Nothing here runs a job.
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

from instructmining.config import load_defaults_and_check, warnings
from instructmining.config.loading import load_config
from instructmining.costs import jobs as costs
from instructmining.dag import (
    datasets,
    embeddings,
    evaluations,
    indicator_files,
    indicators,
    mixtures,
    models,
    pages,
    pairwise,
    quality_rules,
    rankings,
    runs,
    searches,
    targets,
)
from instructmining.dag.names import in_sections
from instructmining.jobs import paths
from instructmining.jobs.errors import InputError
from instructmining.report.opening import open_on_summary
from instructmining.settings import versions


def checked_config():
    """The config with every default, or one line that names the key."""
    files = [os.path.relpath(path) for path in workflow.overwrite_configfiles or workflow.configfiles]
    try:
        # what loading a file hides: keys that are written twice, `yes` as a name
        for path in files:
            load_config(Path(path))
        return load_defaults_and_check(config, ", ".join(files))
    except InputError as error:
        raise WorkflowError(str(error)) from None


def of(function):
    """A function of instructmining.dag as Snakemake calls it: of the wildcards alone. What is wrong is one line."""

    def with_config(wildcards):
        try:
            return function(config, wildcards)
        except InputError as error:
            raise WorkflowError(str(error)) from None

    return with_config


config = in_sections(checked_config())
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
