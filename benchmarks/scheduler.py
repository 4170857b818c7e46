"""CPU seconds of Snakemake itself while a study's jobs run: its scheduler as it comes, and as our Snakefile has it.

    PYTHONPATH=src python benchmarks/scheduler.py

The jobs of config/config.yaml are not done: each only writes empty files, two at a time, after --seconds of sleep. As
it comes, Snakemake wakes its scheduler once a second more for every job that has ended (snakemake/snakemake#3744), and
each time asks all waiting jobs for their params; the Snakefile's `onstart` ends that.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from data import machine_line

ROOT = Path(__file__).parents[1]
OWN = re.compile(r"^onstart:\n.*?\n\n", re.MULTILINE | re.DOTALL)
FOLDER = re.compile(r'directory\(\s*("[^"]*")\s*\)')
SCRIPT = re.compile(r'    script:\n        "[^"]*"')
PARTS = ("src", "rules", "config", "profiles", "workflow", "envs", "Snakefile")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2.0)
    arguments = parser.parse_args()
    print(machine_line())
    ours = measured(arguments.seconds, own=True)
    plain = measured(arguments.seconds, own=False)
    print(f"as it comes {plain:6.1f} s, as the Snakefile has it {ours:6.1f} s, ratio {plain / ours:.1f}")


def measured(seconds: float, own: bool) -> float:
    """CPU seconds of the process that schedules, without those of the jobs."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copy_project(folder, seconds, own)
        command = [sys.executable, "-m", "snakemake", "--cores", "2", "--quiet", "all", "--notemp"]
        process = subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL)
        # the child's own time is gone once it is waited for
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        user, system = (int(value) for value in stat(process.pid)[11:13])
        if process.wait():
            raise SystemExit("the jobs did not end well")
        return (user + system) / os.sysconf("SC_CLK_TCK")


def stat(pid: int) -> list[str]:
    """Fields of /proc/PID/stat from the third on: the second, the name in brackets, may hold anything."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def copy_project(folder: Path, seconds: float, own: bool) -> None:
    for part in PARTS:
        source = ROOT / part
        shutil.copytree(source, folder / part) if source.is_dir() else shutil.copy(source, folder)
    pretended = f'    shell:\n        "sleep {seconds}; mkdir -p $(dirname {{output}}); touch {{output}}"'
    for path in folder.glob("rules/*.smk"):
        path.write_text(FOLDER.sub(r"\1", SCRIPT.sub(pretended, path.read_text())))
    snakefile = folder / "Snakefile"
    text = snakefile.read_text().partition("onsuccess:")[0]
    snakefile.write_text(text if own else OWN.sub("\n", text + "\n"))


if __name__ == "__main__":
    main()
