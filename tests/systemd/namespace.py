"""A systemd of its own: PID 1 of new namespaces, told units before it boots, whose log says each change of a unit.

systemd writes its log to /dev/kmsg, which is a pipe there, and is asked by `systemctl` over its private socket. Its
processes are below one control group, which is removed with them. Source: systemd(1), kernel-command-line(7).
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

INSIDE = Path(__file__).with_name("inside.sh")
BINARIES = ("/usr/lib/systemd/systemd", "/lib/systemd/systemd")
NEEDED = ("unshare", "nsenter", "systemctl")
TARGET = "only.target"
TARGET_FILE = "[Unit]\nDescription=Nothing but what is asked for\nDefaultDependencies=no\n"
PIPE_BYTES = 1 << 20  # of the log: systemd does not wait for a reader


class Line(NamedTuple):
    """A line of the log: its place in it, and when it was read."""

    number: int
    at: float
    text: str


class CannotRun(Exception):
    """What keeps a systemd from running here."""


def binary() -> str:
    """Return where systemd is, if everything is there that it takes to run one."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    found = [path for path in BINARIES if os.access(path, os.X_OK)]
    if os.geteuid() != 0:
        raise CannotRun("namespaces and a control group of one's own take root")
    if missing or not found:
        raise CannotRun(f"not installed: {', '.join(missing or ['systemd'])}")
    return found[0]


def _hierarchy() -> Path:
    """Return where the cgroup2 file system is mounted."""
    for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        where, kind = line.split()[1:3]
        if kind == "cgroup2":
            return Path(where)
    raise CannotRun("no cgroup2 file system is mounted")


class Namespace:
    """A systemd that runs: `with Namespace({"a.service": "..."}) as there: there.systemctl("start", "a")`."""

    def __init__(self, units: dict[str, str]) -> None:
        self.systemd = binary()
        self.group = _hierarchy() / f"systemd-stories-{os.getpid()}"
        self.room = Path(tempfile.mkdtemp(prefix="systemd-stories-"))
        (self.room / "units").mkdir()
        for name, text in {TARGET: TARGET_FILE, **units}.items():
            (self.room / "units" / name).write_text(text, encoding="utf-8")
        (self.room / "console").touch()
        os.mkfifo(self.room / "kmsg")
        self.lines: list[Line] = []

    def __enter__(self) -> Namespace:
        self.group.mkdir()
        self._pipe = os.open(self.room / "kmsg", os.O_RDWR)
        fcntl.fcntl(self._pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        threading.Thread(target=self._read, daemon=True).start()
        words = ["unshare", "-m", "-p", "-C", "-i", "-u", "-n", "--fork", "--kill-child", "/bin/sh", str(INSIDE)]
        enter = f'echo $$ > {self.group}/cgroup.procs && exec "$@"'
        command = ["/bin/sh", "-c", enter, "enter", *words, str(self.room), self.systemd]
        self._outer = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        self.pid = self._wait_for_boot()
        return self

    def __exit__(self, *why: object) -> None:
        self._outer.kill()
        self._outer.wait()
        for _ in range(100):  # the kernel ends what is left of the pid namespace
            if not any(it.read_text().strip() for it in self.group.rglob("cgroup.procs")):
                break
            time.sleep(0.05)
        for folder in sorted((it for it in self.group.rglob("*") if it.is_dir()), reverse=True):
            folder.rmdir()
        self.group.rmdir()
        os.close(self._pipe)
        shutil.rmtree(self.room)

    def _read(self) -> None:
        rest = b""
        while True:
            try:
                data = os.read(self._pipe, 1 << 16)
            except OSError:
                return
            now = time.monotonic()
            *whole, rest = (rest + data).split(b"\n")
            first = len(self.lines)
            self.lines += [Line(first + n, now, line.decode(errors="replace")) for n, line in enumerate(whole)]

    def _wait_for_boot(self) -> int:
        for _ in range(100):
            time.sleep(0.1)
            children = Path(f"/proc/{self._outer.pid}/task/{self._outer.pid}/children").read_text().split()
            if self._outer.poll() is not None:
                break
            if children:
                self.pid = int(children[0])
                if self.systemctl("is-active", TARGET).stdout.strip() == "active":
                    return self.pid
        self._outer.kill()
        raise CannotRun(f"systemd did not come up; the last lines of its log: {self.lines[-3:]}")

    def enable(self, units: Iterable[str]) -> None:
        """Tie units to the target that is up, without starting them: systemd forgets a unit that nothing refers to."""
        text = f"{TARGET_FILE}Wants={' '.join(units)}\n"
        (self.room / "units" / TARGET).write_text(text, encoding="utf-8")
        self.systemctl("daemon-reload")

    def _within(self, *words: str) -> list[str]:
        return ["nsenter", "-t", str(self.pid), "-m", "-p", "-C", *words]

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """Begin a command in the namespaces."""
        return subprocess.Popen(
            self._within(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL
        )

    def systemctl(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Ask systemd, and wait for the answer."""
        return subprocess.run(self._within("systemctl", *words), capture_output=True, text=True, check=False)

    def show(self, unit: str, *names: str) -> dict[str, str]:
        """Return properties of a unit."""
        text = self.systemctl("show", "-p", ",".join(names), unit).stdout
        return dict(line.split("=", 1) for line in text.splitlines())

    def processes(self, unit: str) -> list[str]:
        """Return the command lines of the living processes in a unit's control group."""
        listed = self.group / "system.slice" / unit / "cgroup.procs"
        found = []
        for pid in listed.read_text().split() if listed.exists() else ():
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
            found.append(" ".join(words).strip())
        return sorted(found)
