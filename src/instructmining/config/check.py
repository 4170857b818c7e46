"""``python -m instructmining.config.check FILE…``: whether these files, laid over one another, are a config.

Prints nothing and ends with 0 if they are, else prints one line and ends with 1.
"""

import sys
from pathlib import Path

from instructmining.config.loading import checked_config
from instructmining.jobs.errors import InputError


def main(arguments: list[str]) -> int:
    """Exit status for these config files."""
    try:
        checked_config([Path(argument) for argument in arguments])
    except InputError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
