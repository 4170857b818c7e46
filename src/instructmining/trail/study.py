"""What an archive holds of a study, for the functions that compute its results again."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from instructmining.jobs import paths

Config = dict[str, Any]


class Absent(Exception):
    """Files that a result is computed from, and that are not there: ``names``, within the archive."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = list(names)
        super().__init__(", ".join(self.names))


class InPart(NamedTuple):
    """A result of which some is not computed but taken as found: what, and the files that it needs."""

    result: pl.DataFrame
    as_found: str
    names: list[str]


# None: not computed again. Of JSON whose other keys are a model's, those as found
Expected = pl.DataFrame | Mapping[str, Any] | str | InPart | None
# patterns of the files that are made together -> what they should be, of the study, the first file and its wildcards
Computed = Mapping[tuple[str, ...], Callable[..., Sequence[Expected]]]


class Study(NamedTuple):
    """An archive's folder, its config, the names of its files, and what each was made from."""

    folder: Path
    config: Config
    files: frozenset[str]
    inputs: Mapping[str, tuple[str, ...]]

    def path(self, name: str) -> str:
        """The path of a file of the archive; Absent if it is not there."""
        return self.paths([name])[0]

    def paths(self, names: Iterable[str]) -> list[str]:
        """Their paths, in the same order; Absent if any is not there."""
        wanted = list(names)
        if missing := [name for name in wanted if name not in self.files]:
            raise Absent(missing)
        return [str(self.folder / name) for name in wanted]

    def made_from(self, file: str, folder: str, end: str = "") -> list[str]:
        """Paths of those of a file's inputs that lie below results/{folder}; Absent if one is not there.

        The order is the record's, which is no job's: by name. LookupError if no job of the crate made the file.
        """
        if file not in self.inputs:
            raise LookupError(f"{file}: no job of the crate made it")
        named = [name for name in self.inputs[file] if name.startswith(f"results/{folder}/") and name.endswith(end)]
        return self.paths(named)

    def examples(self, datasets: Iterable[str]) -> list[str]:
        """The examples files of datasets; Absent where their texts were left out."""
        return self.paths(paths.EXAMPLES.format(dataset=dataset) for dataset in datasets)


def without_provenance(found: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if key != "provenance"}
