"""The captions of the report: Snakemake reads them from files, which follow from the pages' specs.

`make generate` writes them.
"""

import re

from instructmining.dag.pages import pages


def captions() -> dict[str, str]:
    """Path -> text of every caption in workflow/report, but for that of the whole report (workflow.rst)."""
    found = {}
    for name, spec in pages().items():
        found[f"workflow/report/{name}.rst"] = _filled(spec.caption)
        if spec.table_caption:
            found[f"workflow/report/{name}_table.rst"] = _filled(spec.table_caption)
    return found


def _filled(caption: str) -> str:
    """A caption with its wildcards as Snakemake fills them in."""
    return re.sub(r"\{(\w+)\}", r"{{ snakemake.wildcards.\1 }}", caption) + "\n"
