"""This host, read where it runs: its processes from /proc, and what its engine's commands print.

Models: every process with its parent, group, session, threads, start and arguments, by psutil where that is installed
(the extra `live`), else from /proc/PID/stat; the masks of signals from /proc/PID/status; the outputs of COMMANDS, each
given up after LIMIT_S. Nothing is written, started or stopped, and nobody but this host's engine is asked. Leaves out
systems without /proc and without psutil. Source: proc_pid_stat(5), proc_pid_status(5); psutil's documentation.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from sim.errors import InputError, Problem
from sim.intake.sources import Source

LIMIT_S = 20
PROC = Path("/proc")
HEAD = "PID PPID PGID SID NLWP TTY STAT STARTED COMMAND"
SIGNALS = ("Name", "Pid", "PPid", "Threads", "SigIgn", "SigCgt")
RECORDER = "ps (shimulator init --live)"  # so that this program and its shell are left out by name
COMMANDS = tuple(  # `*` stands for what the command before it has listed
    tuple(line.split())
    for line in """\
docker version
docker info --format {{json_.}}
docker info
docker ps -a --no-trunc
docker ps -aq --no-trunc
docker inspect *
docker network ls -q
docker network inspect *
podman version
podman ps -aq --no-trunc
podman inspect *
crictl version
crictl pods -q
crictl inspectp *
crictl ps -aq
crictl inspect *
systemctl cat docker
systemctl cat containerd
systemctl cat crio
systemctl cat kubelet
ss -ltnup""".split("\n")
)
LISTS = ("-q", "-aq")


class Row(msgspec.Struct, frozen=True):
    """A process of this host; *started* is a unix time in seconds."""

    pid: int
    ppid: int
    pgid: int
    sid: int
    threads: int
    tty: str
    stat: str
    started: float
    args: str


def live_sources(proc: Path = PROC) -> tuple[Source, ...]:
    """Return what this host tells of itself, as the outputs of its tools. Raises InputError where there is no /proc."""
    rows = list(processes(proc))
    if not rows:
        what = "there is no /proc to read processes from"
        raise InputError([Problem("--live", what, "Run shimulator init --collector on the host, and read its output.")])
    found = [Source("this host: processes", table(rows)), Source("this host: signals", statuses(proc))]
    daemon = Path("/etc/docker/daemon.json")
    try:
        found.append(Source(str(daemon), daemon.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        pass  # the engine has its defaults, or it is another engine
    return (*found, *outputs())


def processes(proc: Path) -> Iterator[Row]:
    """Yield every process, by psutil where it is installed."""
    try:
        psutil: Any = import_module("psutil")
    except ImportError:
        yield from _of_proc(proc)
        return
    if proc != PROC:
        psutil.PROCFS_PATH = str(proc)
    names = ["pid", "ppid", "name", "cmdline", "num_threads", "create_time", "terminal", "status"]
    words = {"sleeping": "S", "running": "R", "disk-sleep": "D", "stopped": "T", "zombie": "Z", "idle": "I"}
    for process in psutil.process_iter(names):
        info: Mapping[str, object] = process.info
        pid, name = int(str(info["pid"])), str(info["name"])
        cmdline = info["cmdline"]
        args = " ".join(cmdline) if isinstance(cmdline, list) and cmdline else f"[{name}]"
        tty = str(info["terminal"] or "?").removeprefix("/dev/")
        stat = words.get(str(info["status"]), "S")
        started = float(str(info["create_time"] or 0))
        threads = int(str(info["num_threads"] or 1))
        yield _row(pid, int(str(info["ppid"] or 0)), threads, tty, stat, started, args)


def _row(pid: int, ppid: int, threads: int, tty: str, stat: str, started: float, args: str) -> Row:
    pgid, sid = pid, pid
    try:
        pgid, sid = os.getpgid(pid), os.getsid(pid)
    except OSError:
        pass  # it has ended meanwhile, or belongs to somebody else
    return Row(pid, ppid, pgid, sid, threads, tty, stat, started, RECORDER if pid == os.getpid() else args)


def _of_proc(proc: Path) -> Iterator[Row]:
    """Yield every process of /proc."""
    booted = _booted(proc)
    ticks = os.sysconf("SC_CLK_TCK")
    for folder in sorted((it for it in proc.glob("[0-9]*") if it.name.isdigit()), key=lambda it: int(it.name)):
        try:
            stat = (folder / "stat").read_text(errors="replace")
            cmdline = (folder / "cmdline").read_bytes()
        except OSError:
            continue  # it has ended meanwhile
        comm, rest = stat[stat.find("(") + 1 : stat.rfind(")")], stat[stat.rfind(")") + 2 :].split()
        args = cmdline.rstrip(b"\0").replace(b"\0", b" ").decode("utf-8", "replace") or f"[{comm}]"
        pid, tty = int(folder.name), "?" if rest[4] == "0" else f"pts/{int(rest[4]) & 0xFF}"
        args = RECORDER if pid == os.getpid() else args
        started = booted + int(rest[19]) / ticks
        yield Row(pid, int(rest[1]), int(rest[2]), int(rest[3]), int(rest[17]), tty, rest[0], started, args)


def _booted(proc: Path) -> float:
    try:
        match = re.search(r"^btime (\d+)", (proc / "stat").read_text(), re.MULTILINE)
    except OSError:
        return 0.0
    return float(match[1]) if match else 0.0


def table(rows: list[Row]) -> str:
    """Return processes as `ps -eo` prints them, with times of UTC."""
    lines = [HEAD]
    for row in rows:
        when = time.strftime("%a %b %d %H:%M:%S %Y", time.gmtime(row.started))
        args = " ".join(row.args.split("\n"))
        lines.append(f"{row.pid} {row.ppid} {row.pgid} {row.sid} {row.threads} {row.tty} {row.stat} {when} {args}")
    return "\n".join(lines) + "\n"


def statuses(proc: Path) -> str:
    """Return what says of each process which signals it handles."""
    lines = []
    for folder in proc.glob("[0-9]*"):
        try:
            text = (folder / "status").read_text(errors="replace")
        except OSError:
            continue  # it has ended meanwhile
        lines += [
            f"/proc/{folder.name}/status:{line}" for line in text.split("\n") if line.partition(":")[0] in SIGNALS
        ]
    return "\n".join(lines) + "\n"


def outputs() -> Iterator[Source]:
    """Yield what the commands of this host's engine print; one that is not there, or hangs, is left out."""
    listed: list[str] = []
    for command in COMMANDS:
        if shutil.which(command[0]) is None:
            continue
        words = [word for it in command for word in (listed if it == "*" else [it.replace("_", " ")])]
        if "*" in command and not listed:
            continue
        said = _said(words)
        if command[-1] in LISTS or LISTS[1] in command:
            listed = said.split()
        elif said:
            yield Source(" ".join(command), said)


def _said(words: list[str]) -> str:
    try:
        done = subprocess.run(words, capture_output=True, timeout=LIMIT_S, check=False, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""
