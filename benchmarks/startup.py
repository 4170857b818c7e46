"""What a job costs before its first useful work: imports of every kind of job, and Snakemake's own start.

    PYTHONPATH=src python benchmarks/startup.py
    python benchmarks/startup.py --against ../older/checkout

Each line is a fresh process, begun --repeats times, the two checkouts in turns; the least counts. Processor seconds
are those of the process alone, so they hold on a machine that others use too; seconds of the wall do not. A job on a
cluster starts Snakemake two or three times (where it is submitted, on the node, and around the script): the last line
each time.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from data import machine_line

ROOT = Path(__file__).parents[1]
BARE = "pass"
# what the job's script imports, and what that imports once it is called
IMPORTS = {
    "Python alone": BARE,
    "finetune": "import instructmining.training.finetune, instructmining.training.launch, instructmining.data.examples",
    "evaluate_loss": "import instructmining.evaluations.loss, instructmining.data.examples",
    "score, causal": "import instructmining.scorers.running, instructmining.scorers.causal",
    "score, reward": "import instructmining.scorers.running, instructmining.scorers.reward",
    "score, unieval": "import instructmining.scorers.running, instructmining.scorers.unieval",
    "score, mtld": "import instructmining.scorers.running, instructmining.scorers.mtld",
    "embed": "import instructmining.models.embeddings, sentence_transformers",
    "score_neighbours": "import instructmining.models.embeddings, instructmining.scorers.knn",
    "rank_pool": "import instructmining.indicators.table, instructmining.selection.rankings, instructmining.strategies",
    "fit_quality_rule": "import instructmining.quality_rules.regression, statsmodels.api",
    "report_summary": "import instructmining.report.pages.summary",
    "imports of the Snakefile": "import instructmining.config, instructmining.scorers, instructmining.selection.search",
    "Snakemake's own imports": "import snakemake.cli",
}
SNAKEFILE = "Snakemake, the Snakefile read"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", type=Path, metavar="CHECKOUT", help="another checkout, to compare with")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--jobs", nargs="+", choices=[*IMPORTS, SNAKEFILE], default=[*IMPORTS, SNAKEFILE])
    options = parser.parse_args()
    checkouts = [*([options.against.resolve()] if options.against else []), ROOT]
    print(machine_line())
    names = ["before", "now"][-len(checkouts) :]
    columns = [f"{kind} s, {name}" for name in names for kind in ("processor", "wall")]
    print(f"| job | {' | '.join(columns)} |\n|---|" + "---|" * len(columns), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for job in options.jobs:
            found: dict[Path, list[tuple[float, float]]] = {checkout: [] for checkout in checkouts}
            for _ in range(options.repeats):
                for checkout in checkouts:
                    found[checkout].append(started(job, checkout, folder))
            least = [min(column) for checkout in checkouts for column in zip(*found[checkout], strict=True)]
            print(f"| {job} | {' | '.join(f'{seconds:.2f}' for seconds in least)} |", flush=True)
    print(machine_line())


def started(job: str, checkout: Path, folder: str) -> tuple[float, float]:
    """Processor seconds and seconds of the wall of one process."""
    command = [sys.executable, "-c", IMPORTS.get(job, BARE)]
    if job == SNAKEFILE:
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(checkout / "Snakefile"), "--list-rules"]
        command += ["--configfile", str(checkout / "config/config.yaml"), "--directory", folder]
    environment = {**os.environ, "PYTHONPATH": str(checkout / "src"), "OMP_NUM_THREADS": "1"}
    start = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=checkout, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{job}: {' '.join(command)} ended with status {process.returncode} in {checkout}")
    return usage.ru_utime + usage.ru_stime, seconds


if __name__ == "__main__":
    main()
