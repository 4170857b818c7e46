"""The rules of the workflow as Snakemake reads them, for the configuration ``RAW``.

Run as a program it prints them as JSON: Snakemake changes the process that it runs in.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from configs import ROOT, selecting

# a config with every kind of scoring job
RAW = selecting("indicators.knn_6.reference", "pool")


class Rule(NamedTuple):
    """A rule: patterns of its outputs, a regular expression of its cost files, its params as text, if it is local."""

    outputs: list[str]
    costs: str | None
    params: dict[str, str]
    is_local: bool


@cache
def workflow_rules() -> dict[str, Rule]:
    """Name -> rule, of all rules of the Snakefile."""
    paths = os.pathsep.join([str(ROOT / "src"), str(Path(__file__).parent)])
    done = subprocess.run(
        [sys.executable, __file__],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return {name: Rule(*fields) for name, fields in json.loads(done.stdout).items()}


def _read(config: Path) -> dict[str, Any]:
    from snakemake.api import SnakemakeApi
    from snakemake.io import regex_from_filepattern
    from snakemake.settings.types import ConfigSettings, OutputSettings, ResourceSettings

    with SnakemakeApi(OutputSettings(stdout=False)) as api:
        workflow = api.workflow(
            resource_settings=ResourceSettings(cores=1),
            config_settings=ConfigSettings(configfiles=[config]),
            snakefile=ROOT / "Snakefile",
            workdir=config.parent,
        )._workflow
        return {
            rule.name: (
                [re.sub(r"{(\w+),[^{}]*}", r"{\1}", str(output)) for output in rule.output],
                regex_from_filepattern(str(rule.benchmark)) if rule.benchmark else None,
                {name: str(value) for name, value in rule.params.items()},
                rule.name in workflow._localrules,
            )
            for rule in workflow.rules
        }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.yaml"
        path.write_text(yaml.safe_dump(RAW, sort_keys=False))
        print(json.dumps(_read(path)))
