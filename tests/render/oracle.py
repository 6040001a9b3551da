"""Ask the real ps and pstree what they print for a process table.

Models: a worker in private mount and time namespaces that writes a table as a /proc of plain files, puts it over
/proc and runs the installed tools there, each as process 1 of a new pid namespace, so a table needs a row for pid 1.
Leaves out: kernels' other files in /proc. Nothing outside the namespaces changes. One worker answers many tables,
because starting it is dear.
Source: proc(5), man-pages 6.03; mount(2), unshare(1).
"""

import ctypes
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from types import TracebackType
from typing import Any

PS_VERSION, PSTREE_VERSION = "procps-ng 4.0.4", "pstree (PSmisc) 23.7"
VIEWS: dict[str, tuple[list[str], list[str]]] = {  # view -> words on an unlimited screen, words with COLUMNS set
    "ps-axjf": (["ps", "-axjfww"], ["ps", "-axjf"]),
    "ps-ef": (["ps", "-efww"], ["ps", "-ef"]),
    "ps-eo": (["ps", "-eww", "-o", "pid,ppid,pgid,sid,nlwp,args"], ["ps", "-e", "-o", "pid,ppid,pgid,sid,nlwp,args"]),
    "ps-auxf": (["ps", "auxfww"], ["ps", "auxf"]),
    "pstree": (["pstree", "-l", "-U"], ["pstree", "-U"]),
    "pstree-ascii": (["pstree", "-l", "-A"], ["pstree", "-A"]),
    "pstree-p": (["pstree", "-l", "-U", "-p"], ["pstree", "-U", "-p"]),
}
TTYS = {"pts/0": (136, 0), "pts/12": (136, 12), "pts/300": (137, 44), "tty1": (4, 1)}
UPTIME_S = 400 * 86400
ATTEMPTS = 5  # a busy machine may be out of processes or namespaces for a moment
USERS = {0: "root", 33: "www-data", 1000: "alice", 101: "a-very-long-name"}
MEM_TOTAL_KIB = 8388608
_LIBC = ctypes.CDLL(None, use_errno=True)
_DETACH, _BIND = 2, 4096


def why_not() -> str:
    """Say why the real tools cannot be asked on this machine, or nothing."""
    for tool in ("ps", "pstree", "unshare"):
        if shutil.which(tool) is None:
            return f"{tool} is not installed"
    for tool, wanted in (("ps", PS_VERSION), ("pstree", PSTREE_VERSION)):
        said = subprocess.run([tool, "--version"], capture_output=True, text=True, check=False)
        if wanted not in said.stdout + said.stderr:
            return f"{tool} is not of {wanted}"
    if os.sysconf("SC_CLK_TCK") != 100:
        return "the clock does not tick 100 times a second"
    words = ["unshare", *_namespaces(0), "unshare", "--pid", "--fork", "true"]
    trial = subprocess.run(words, capture_output=True, check=False)
    return "private namespaces are not allowed" if trial.returncode or os.geteuid() else ""


def _namespaces(shift_s: int) -> list[str]:
    return ["--mount", "--propagation", "private", "--time", "--fork", "--boottime", str(shift_s)]


class Oracle:
    """Keep a worker; the host that it pretends booted UPTIME_S ago (`btime`, unix seconds)."""

    def __enter__(self) -> "Oracle":
        shift = UPTIME_S - int(time.clock_gettime(time.CLOCK_BOOTTIME))
        self.btime = int(time.time()) - UPTIME_S
        self.folder = tempfile.mkdtemp(prefix="oracle.")
        words = ["unshare", *_namespaces(shift), sys.executable, os.path.abspath(__file__), self.folder]
        words.append(str(self.btime))
        self.worker = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="ascii")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.worker.communicate(timeout=10)
        os.rmdir(self.folder)

    def ask(
        self,
        procs: list[dict[str, Any]],
        *,
        pid_max: int = 32768,
        width: int | None = None,
        root: int | None = None,
        locale: str = "C.UTF-8",
    ) -> dict[str, tuple[str, int, int]]:
        """Give for every view the text and the uptimes in whole seconds before and after it was made."""
        question = {"procs": procs, "pid_max": pid_max, "width": width, "root": root, "locale": locale}
        assert self.worker.stdin is not None
        assert self.worker.stdout is not None
        self.worker.stdin.write(json.dumps(question) + "\n")
        self.worker.stdin.flush()
        answer = self.worker.stdout.readline()
        assert answer, "the worker died"
        return {view: tuple(value) for view, value in json.loads(answer).items()}


def _work(folder: str, btime: int) -> None:
    """Answer one question a line until there are no more."""
    _mount(b"tmpfs", folder, b"tmpfs")
    _prepare_devices(folder)
    tools = {name: shutil.which(name) or name for name in ("ps", "pstree", "unshare")}
    for number, line in enumerate(sys.stdin):
        question = json.loads(line)
        proc = f"{folder}/{number}"
        os.mkdir(proc)
        _write_proc(proc, question["procs"], question["pid_max"], btime)
        _mount(proc.encode(), "/proc", b"", _BIND)
        answer = {view: _run(words, tools, question) for view, words in VIEWS.items()}
        if _LIBC.umount2(b"/proc", _DETACH):
            raise OSError(ctypes.get_errno(), "umount /proc")
        print(json.dumps(answer), flush=True)


def _run(words: tuple[list[str], list[str]], tools: dict[str, str], question: dict[str, Any]) -> tuple[str, int, int]:
    width, root = question["width"], question["root"]
    command = list(words[0] if width is None else words[1])
    command[0] = tools[command[0]]
    if root is not None and "pstree" in words[0]:
        command.append(str(root))
    env = {"PATH": "/usr/bin:/bin", "LC_ALL": question["locale"], "TZ": "UTC", "TERM": "dumb"}
    env |= {} if width is None else {"COLUMNS": str(width)}
    said = ""
    for attempt in range(ATTEMPTS):
        before = int(time.clock_gettime(time.CLOCK_BOOTTIME))
        done = subprocess.run(
            [tools["unshare"], "--pid", "--fork", "--", *command],
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            close_fds=False,
            check=False,
        )
        if done.returncode == 0:
            text = done.stdout.decode("utf-8", "backslashreplace")
            return text, before, int(time.clock_gettime(time.CLOCK_BOOTTIME))
        said = f"{command} ended with {done.returncode}: {done.stderr!r}"
        time.sleep(0.1 * (attempt + 1))
    raise RuntimeError(said)


def _mount(source: bytes, target: str, kind: bytes, flags: int = 0) -> None:
    if _LIBC.mount(source, target.encode(), kind, flags, None):
        raise OSError(ctypes.get_errno(), f"mount on {target}")


def _prepare_devices(folder: str) -> None:
    """Give ps the nodes by which it names terminals, and a file of users."""
    os.makedirs("/dev/pts", exist_ok=True)
    _mount(b"tmpfs", "/dev/pts", b"tmpfs")
    for name, (major, minor) in TTYS.items():
        if not os.path.exists(f"/dev/{name}"):
            os.mknod(f"/dev/{name}", 0o20620, os.makedev(major, minor))
    _write(f"{folder}/passwd", "".join(f"{name}:x:{uid}:{uid}::/:/bin/sh\n" for uid, name in USERS.items()))
    _mount(f"{folder}/passwd".encode(), "/etc/passwd", b"", _BIND)


def _write_proc(proc: str, procs: list[dict[str, Any]], pid_max: int, btime: int) -> None:
    _write(f"{proc}/stat", f"cpu  0 0 0 0 0 0 0 0 0 0\nbtime {btime}\nprocesses 1\nprocs_running 1\nprocs_blocked 0\n")
    _write(f"{proc}/uptime", f"{UPTIME_S}.00 0.00\n")
    _write(f"{proc}/loadavg", "0.00 0.00 0.00 1/1 1\n")
    _write(f"{proc}/meminfo", f"MemTotal:       {MEM_TOTAL_KIB} kB\nMemFree:        0 kB\n")
    _write(f"{proc}/version", "Linux version 3.10.0 (a@b) (gcc) #1 SMP\n")
    os.makedirs(f"{proc}/sys/kernel")
    _write(f"{proc}/sys/kernel/pid_max", f"{pid_max}\n")
    _write(f"{proc}/sys/kernel/osrelease", "3.10.0\n")
    os.mkdir(f"{proc}/tty")
    _write(f"{proc}/tty/drivers", "pty_slave /dev/pts 136 0-1048575 pty:slave\nunknown /dev/tty 4 1-63 console\n")
    os.symlink("1", f"{proc}/self")
    # A tmpfs lists the newest entry first, the true /proc the lowest number.
    for row in sorted(procs, key=lambda row: -row["pid"]):
        _write_process(f"{proc}/{row['pid']}", row)
    listed = [int(name) for name in os.listdir(proc) if name.isdigit()]
    assert listed == sorted(listed), "this file system does not list the newest entry first"


def _write_process(folder: str, row: dict[str, Any]) -> None:
    os.mkdir(folder)
    _write_task(folder, row["pid"], row)
    os.mkdir(f"{folder}/task")
    for tid in sorted([row["pid"], *row["threads"]], reverse=True):
        os.mkdir(f"{folder}/task/{tid}")
        _write_task(f"{folder}/task/{tid}", tid, row)
    os.chown(folder, row["uid"], 0)


def _write_task(folder: str, tid: int, row: dict[str, Any]) -> None:
    comm = _bytes(row["comm"])[:15]
    args = [] if row["state"] == "Z" else row["args"]
    major, minor = TTYS.get(row["tty"], (0, 0))
    tail = (
        row["state"],
        row["ppid"],
        row["pgid"],
        row["sid"],
        major << 8 | minor,
        row["tpgid"],
        4194304,
        0,
        0,
        0,
        0,
        row["utime"],
        row["stime"],
        0,
        0,
        20 + row["nice"],
        row["nice"],
        1 + len(row["threads"]),
        0,
        row["start_ticks"],
        row["vsize"],
        row["rss"],
        *[0] * 28,
    )
    _write(f"{folder}/stat", b"%d (%s) " % (tid, comm) + " ".join(map(str, tail)).encode() + b"\n")
    memory = {"VmSize": row["vsize"] // 1024, "VmLck": row["lock_kb"], "VmRSS": row["rss"] * 4} if args else {}
    uid = row["uid"]
    status = [
        f"State:\t{row['state']}",
        f"Tgid:\t{row['pid']}",
        f"Pid:\t{tid}",
        f"PPid:\t{row['ppid']}",
        f"Uid:\t{uid}\t{uid}\t{uid}\t{uid}",
        "Gid:\t0\t0\t0\t0",
        *(f"{key}:\t{value:8} kB" for key, value in memory.items()),
        f"Threads:\t{1 + len(row['threads'])}",
    ]
    escaped = comm.replace(b"\\", b"\\\\").replace(b"\n", b"\\n")
    _write(f"{folder}/status", b"Name:\t" + escaped + b"\n" + "\n".join(status).encode() + b"\n")
    _write(f"{folder}/statm", f"{row['vsize'] // 4096} {row['rss']} 0 0 0 0 0\n")
    _write(f"{folder}/comm", comm + b"\n")
    _write(f"{folder}/cmdline", b"".join(_bytes(word) + b"\0" for word in args))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _write(path: str, data: str | bytes) -> None:
    with open(path, "wb") as file:
        file.write(data if isinstance(data, bytes) else data.encode())


if __name__ == "__main__":
    _work(sys.argv[1], int(sys.argv[2]))
