"""A Slurm cluster on one machine, on loopback, out of Debian's packages: one CPU node, three GPU nodes, accounting.

    python tests/support/slurm_cluster.py start FOLDER
    python tests/support/slurm_cluster.py stop FOLDER
    python tests/support/slurm_cluster.py check FOLDER     whether it can be started here

The GPU nodes have two pretend GPUs each: Slurm counts and hands them out, nothing opens them. Memory and cores are
claimed, not there: without cgroups nothing is enforced, so running out of memory cannot be tested, running out of time
can. Needs root and: slurmctld slurmd slurm-client slurmdbd munge mariadb-server
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

NEEDED = ("munged", "slurmctld", "slurmd", "slurmdbd", "mariadbd", "mariadb-install-db", "sbatch", "sacct")
NODES = {"cpu0": "Port=17000 CPUs=16", **{f"gpu{i}": f"Port=1710{i} CPUs=16 Gres=gpu:a100:2" for i in range(3)}}
FILES = ("slurm.conf", "gres.conf", "cgroup.conf", "slurmdbd.conf")

SLURM_CONF = """\
ClusterName=instructmining
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort=16817
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
ReturnToService=2
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool/%n
SlurmctldPidFile={root}/run/slurmctld.pid
SlurmdPidFile={root}/run/slurmd.%n.pid
SlurmctldLogFile={root}/log/slurmctld.log
SlurmdLogFile={root}/log/slurmd.%n.log
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
SlurmdParameters=config_overrides
MinJobAge=600
KillWait=5
OverTimeLimit=0
PropagateResourceLimits=NONE
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost
AccountingStoragePort=16819
AccountingStorageTRES=gres/gpu,gres/gpu:a100
AccountingStoreFlags=job_comment
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=5
{nodes}
PartitionName=cpu Nodes=cpu0 Default=YES MaxTime=4-00:00:00 State=UP
PartitionName=gpu Nodes=gpu[0-2] Default=NO MaxTime=4-00:00:00 State=UP
"""
SLURMDBD_CONF = """\
AuthType=auth/munge
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort=16819
SlurmUser=root
CommunicationParameters=NoInAddrAny
LogFile={root}/log/slurmdbd.log
PidFile={root}/run/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm_acct
"""


def missing() -> str:
    """What keeps a cluster from being started here; empty if nothing does."""
    absent = [name for name in NEEDED if shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None]
    if absent:
        return f"no {', '.join(absent)}: apt-get install slurmctld slurmd slurm-client slurmdbd munge mariadb-server"
    own = [
        name for name in FILES if (Path("/etc/slurm") / name).exists() and not (Path("/etc/slurm") / name).is_symlink()
    ]
    if own:
        return f"this machine has a Slurm of its own: /etc/slurm/{own[0]}"
    return "" if os.geteuid() == 0 else "starting a cluster needs root"


@contextmanager
def cluster(root: Path) -> Iterator[Path]:
    """The cluster, up and idle; its logs are in ``root / "log"``."""
    try:
        start(root)
        yield root
    finally:
        stop(root)


def start(root: Path) -> None:
    for name in ("etc", "state", "log", "run", "dev", *(f"spool/{node}" for node in NODES)):
        (root / name).mkdir(parents=True, exist_ok=True)
    root.chmod(0o755)
    _write_configuration(root)
    _start_munge(root)
    _start_database(root)
    _run("slurmdbd")
    _wait("slurmdbd", lambda: _succeeds("sacctmgr", "-n", "list", "cluster"))
    for words in ("cluster instructmining", "account lab Cluster=instructmining", "user root Account=lab"):
        _run("sacctmgr", "-i", "add", *words.split())
    _run("slurmctld")
    for node in NODES:
        _run("slurmd", "-N", node)
    _wait("four idle nodes", lambda: len(_idle()) == len(NODES))


def stop(root: Path) -> None:
    """End what `start` started, and take our links away from /etc/slurm."""
    names = ("run/slurmd.*.pid", "run/slurmctld.pid", "run/slurmdbd.pid", "db/my.pid", "run/munged.pid")
    pids = [int(file.read_text()) for name in names for file in root.glob(name) if file.exists()]
    for number in (signal.SIGTERM, signal.SIGKILL):
        end = time.monotonic() + 5
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        while any(_runs(pid) for pid in pids) and time.monotonic() < end:
            time.sleep(0.1)
    for name in FILES:
        link = Path("/etc/slurm") / name
        if link.is_symlink() and link.readlink().is_relative_to(root):
            link.unlink()


def _write_configuration(root: Path) -> None:
    # Slurm wants character devices for GPUs; without them jobs run, but with no CUDA_VISIBLE_DEVICES
    for i in range(2):
        if not (root / f"dev/nvidia{i}").exists():
            _run("mknod", str(root / f"dev/nvidia{i}"), "c", "195", str(i))
    nodes = [
        f"NodeName={name} NodeHostname=localhost NodeAddr=127.0.0.1 {what} RealMemory=1000000 State=UNKNOWN"
        for name, what in NODES.items()
    ]
    texts = {
        "slurm.conf": SLURM_CONF.format(root=root, nodes="\n".join(nodes)),
        "gres.conf": f"AutoDetect=off\nNodeName=gpu[0-2] Name=gpu Type=a100 File={root}/dev/nvidia[0-1]\n",
        "cgroup.conf": "CgroupAutomount=no\nConstrainCores=no\nConstrainDevices=no\n",
        "slurmdbd.conf": SLURMDBD_CONF.format(root=root),
    }
    Path("/etc/slurm").mkdir(exist_ok=True)
    for name, text in texts.items():
        (root / "etc" / name).write_text(text)
        (root / "etc" / name).chmod(0o600 if name == "slurmdbd.conf" else 0o644)
        # Snakemake's executor drops SLURM_CONF from the jobs' environment: the files must be where Slurm looks
        link = Path("/etc/slurm") / name
        link.unlink(missing_ok=True)
        link.symlink_to(root / "etc" / name)
    os.environ.pop("SLURM_CONF", None)


def _start_munge(root: Path) -> None:
    for folder, mode in (("/etc/munge", "0700"), ("/run/munge", "0755"), ("/var/log/munge", "0700")):
        _run("install", "-d", "-o", "munge", "-g", "munge", "-m", mode, folder)
    if not Path("/etc/munge/munge.key").exists():
        _run("runuser", "-u", "munge", "--", "/usr/sbin/mungekey", "--create")
    if not _succeeds("munge", "-n"):
        _run("runuser", "-u", "munge", "--", "/usr/sbin/munged", "--force", "--num-threads", "2")
        (root / "run/munged.pid").symlink_to("/run/munge/munged.pid")  # ours to end


def _start_database(root: Path) -> None:
    folder, socket = root / "db", root / "db/my.sock"
    _run("install", "-d", "-o", "mysql", "-g", "mysql", str(folder))
    if not (folder / "mysql").exists():
        settings = ("--user=mysql", "--skip-test-db", "--auth-root-authentication-method=socket")
        _run("mariadb-install-db", *settings, f"--datadir={folder}")
    where = (f"--datadir={folder}", f"--socket={socket}", f"--pid-file={folder}/my.pid", "--skip-networking")
    sizes = ("--innodb-buffer-pool-size=64M", "--innodb-log-file-size=48M", "--innodb-lock-wait-timeout=900")
    with (root / "log/mariadb.log").open("w") as log:
        # a session of its own: an interrupted test run must not end it before `stop` does
        command = ["mariadbd", "--no-defaults", "--user=mysql", *where, *sizes]
        subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, env=_environment())
    client = ("mariadb", "--no-defaults", "-S", str(socket), "-e")
    _wait("MariaDB", lambda: _succeeds(*client, "select 1"))
    _run(*client, "create database if not exists slurm_acct")
    _run(*client, "create user if not exists slurm@localhost identified by 'slurm'")
    _run(*client, "grant all on slurm_acct.* to slurm@localhost")
    os.environ["MYSQL_UNIX_PORT"] = str(socket)


def _environment() -> dict[str, str]:
    return {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=_environment())
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr or done.stdout}")


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False, env=_environment()).returncode == 0


def _idle() -> set[str]:
    done = subprocess.run(["sinfo", "-h", "-N", "-t", "idle", "-o", "%N"], capture_output=True, text=True, check=False)
    return set(done.stdout.split())


def _wait(what: str, condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"{what}: not there after {seconds} seconds")
        time.sleep(0.5)


def _runs(pid: int) -> bool:
    """Whether the process is there, and not just waiting to be buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    if reason := missing():
        raise SystemExit(reason)
    {"start": start, "stop": stop, "check": lambda _: None}[sys.argv[1]](Path(sys.argv[2]).resolve())
