"""The report opens on its summary: Snakemake's opens on the graph of the workflow, which stays in its menu.

python -m instructmining.report.opening results/report.html
"""

import sys
from pathlib import Path

from instructmining.jobs import paths
from instructmining.jobs.errors import InputError

SUMMARY = paths.SUMMARY_PAGE
# `app` and `results` are Snakemake's: its page drawer, and the pages by path. Where the menu would leave a page no room
# it is folded, as by its own button
_SCRIPT = """<script>
    (function open() {
        if (typeof app === "undefined" || !app) return setTimeout(open, 20);
        app.setView({ content: "html", contentPath: results["%s"].data_uri, hideNavbar: innerWidth < 800 });
    })();
    </script>
"""
_END = "</body>"


def open_on_summary(report: str | Path) -> None:
    """Have the report, written by `snakemake --report`, show the summary first. A second time changes nothing.

    InputError if it is no such report, or has no summary.
    """
    path, script = Path(report), _SCRIPT % SUMMARY
    text = path.read_text(encoding="utf-8")
    head, end, tail = text.rpartition(_END)
    if not end or f'"{SUMMARY}"' not in head:
        raise InputError(f"{path}: expected a report of Snakemake with {SUMMARY}")
    if script not in head:
        path.write_text(f"{head}{script}{end}{tail}", encoding="utf-8")


if __name__ == "__main__":
    try:
        open_on_summary(sys.argv[1])
    except InputError as error:
        sys.exit(f"error: {error}")
