"""A made-up results/costs tree."""

from collections.abc import Iterable
from pathlib import Path

from instructmining.jobs.files import write_seconds, write_text

# as Snakemake's `benchmark:` writes a job's row, and one that was over before it could be looked at
HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"
ROW = "{seconds:.4f}\t0:00:01\t512.25\t3000.10\t490.00\t495.00\t0.00\t1.50\t98.70\t12.34\n"
SHORT_ROW = "{seconds:.4f}\t0:00:00\tNA\tNA\tNA\tNA\tNA\tNA\tNA\tNA\n"


def write_costs(folder: Path, jobs: Iterable[str], seconds: float) -> None:
    """A cost file for each job; of a run that a job trained together with others, seconds alone."""
    for job in jobs:
        path = folder / f"{job}.tsv"
        if job.startswith("finetune/") and "/mixtures/" in job:
            write_seconds(path, seconds)
        else:
            write_text(path, HEADER + (ROW if seconds > 1 else SHORT_ROW).format(seconds=seconds))
