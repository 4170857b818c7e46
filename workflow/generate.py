"""Write what follows from settings and specs: the schema, the manual's tables, the captions. `make generate`.

With `--check` nothing is written: files that are stale are named, and the exit status is 1.
"""

import json
import sys
from pathlib import Path

from instructmining.config.building import config_schema
from instructmining.config.manual import with_tables
from instructmining.report.captions import captions

ROOT = Path(__file__).parents[1]


def generated() -> dict[Path, str]:
    """Every generated file and what it should hold."""
    manual = ROOT / "config/README.md"
    return {
        ROOT / "workflow/schemas/config.schema.json": json.dumps(config_schema(), indent=1, ensure_ascii=False) + "\n",
        manual: with_tables(manual.read_text(encoding="utf-8")),
        **{ROOT / path: text for path, text in captions().items()},
    }


def main() -> int:
    stale = [path for path, text in generated().items() if not path.exists() or path.read_text("utf-8") != text]
    if "--check" in sys.argv:
        for path in stale:
            print(f"{path.relative_to(ROOT)}: stale: run `make generate`", file=sys.stderr)
        return int(bool(stale))
    for path in stale:
        path.write_text(generated()[path], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
