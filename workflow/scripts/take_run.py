"""Take one run out of the folder of the job that trained several."""

import shutil
from pathlib import Path

from instructmining.jobs.log import job_log

with job_log(snakemake.log[0]):
    from instructmining.jobs.files import link_folder, replacing

    # the job's folder stays whole until the last of its runs is taken
    run = Path(snakemake.params.run)
    link_folder(run / "model", Path(snakemake.output.model))
    for source, target in (("train.json", snakemake.output.train), ("cost.tsv", snakemake.output.cost)):
        with replacing(target) as temporary:
            shutil.copyfile(run / source, temporary)
