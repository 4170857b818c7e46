"""Write requirements.lock and the conda environments from one source: the dependencies in pyproject.toml.

`install` installs every group but DeepSpeed; `write` freezes what is installed into the lock and derives envs/*.yaml
from it; `deepspeed` asks pip what DeepSpeed needs beside that, and writes envs/deepspeed.lock.
"""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# environment -> groups of pyproject.toml; rules name these two
ENVIRONMENTS = {"base": ["base"], "models": ["base", "models"]}
HEAD = [
    "# written by envs/lock.py from pyproject.toml and requirements.lock",
    "channels:",
    "  - conda-forge",
    "  - nodefaults",
    "dependencies:",
    "  - python=3.11",
    "  - pip",
    "  - pip:",
]


def groups() -> dict[str, list[str]]:
    """Requirements by group: the project's own dependencies are `base`, its extras the rest."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {"base": project["dependencies"], **project["optional-dependencies"]}


def pins(lock: str) -> dict[str, str]:
    """Package name (normalised) -> version of a lock's text."""
    lines = [line.split(" ")[0] for line in lock.splitlines() if "==" in line and not line.startswith("#")]
    return {normalised(name): version for name, version in (line.split("==") for line in lines)}


def normalised(name: str) -> str:
    """PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def environment(name: str, lock: str) -> str:
    """The conda environment file of one name, every package pinned as in the lock."""
    found = pins(lock)
    wanted = [requirement for group in ENVIRONMENTS[name] for requirement in groups()[group]]
    names = [re.match(r"[\w.-]+", requirement) for requirement in wanted]
    pinned = [
        f"{requirement}=={found[normalised(name[0])]}" for requirement, name in zip(wanted, names, strict=True) if name
    ]
    return "\n".join([*HEAD, *(f"      - {requirement}" for requirement in pinned)]) + "\n"


def beside(lock: Path, requirements: list[str]) -> list[str]:
    """Pins of what pip would install for ``requirements``, were the lock installed as it is."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--no-build-isolation", "--report", "-"]
    asked = subprocess.run([*command, "-c", str(lock), *requirements], check=True, capture_output=True, text=True)
    found = [package["metadata"] for package in json.loads(asked.stdout)["install"]]
    return sorted(f"{normalised(package['name'])}=={package['version']}" for package in found)


def main(command: str) -> None:
    if command == "deepspeed":
        lines = ["# written by envs/lock.py deepspeed: what it needs beside requirements.lock"]
        lines += beside(ROOT / "requirements.lock", groups()["deepspeed"])
        (ROOT / "envs/deepspeed.lock").write_text("\n".join(lines) + "\n")
        return
    if command == "install":
        everything = [requirement for group, found in groups().items() if group != "deepspeed" for requirement in found]
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *everything], check=True)
        return
    frozen = subprocess.run([sys.executable, "-m", "pip", "freeze"], check=True, capture_output=True, text=True).stdout
    # the local part of a version (+cpu) names a build that only some machines have
    lines = sorted(re.sub(r"\+\w+$", "", line) for line in frozen.splitlines() if re.match(r"^[\w.-]+==", line))
    lock = "# written by `make lock`; the dependencies themselves are in pyproject.toml\n" + "\n".join(lines) + "\n"
    (ROOT / "requirements.lock").write_text(lock)
    for name in ENVIRONMENTS:
        (ROOT / "envs" / f"{name}.yaml").write_text(environment(name, lock))


if __name__ == "__main__":
    main(sys.argv[1])
