"""Outputs of a small made-up host, in the forms in which its tools print them: a web server, a database, a job."""

from __future__ import annotations

import json
from typing import Any

WEB, DB, JOB = ("a1" * 32, "b2" * 32, "c3" * 32)
SHIM = "/usr/bin/containerd-shim-runc-v2 -namespace moby -id {} -address /run/containerd/containerd.sock"
PROXY = "/usr/bin/docker-proxy -proto tcp -host-ip {} -host-port 8080 -container-ip 172.20.0.2 -container-port 80"
ROWS = (  # pid, ppid, pgid, sid, tty, stat, threads, forest, comm, args
    (1, 0, 1, 1, "?", "Ss", 1, "", "systemd", "/usr/lib/systemd/systemd --system"),
    (300, 1, 300, 300, "?", "Ss", 1, "", "systemd-journal", "/usr/lib/systemd/systemd-journald"),
    (400, 1, 400, 400, "?", "Ssl", 10, "", "containerd", "/usr/bin/containerd"),
    (500, 1, 500, 500, "?", "Ssl", 20, "", "dockerd", "/usr/bin/dockerd -H fd:// --containerd=/run/c.sock"),
    (700, 500, 500, 500, "?", "Sl", 7, " \\_ ", "docker-proxy", PROXY.format("0.0.0.0")),
    (710, 500, 500, 500, "?", "Sl", 6, " \\_ ", "docker-proxy", PROXY.format("::")),
    (600, 1, 600, 400, "?", "Sl", 12, "", "containerd-shim", SHIM.format(DB)),
    (620, 600, 620, 620, "?", "Ssl", 4, " \\_ ", "postgres", "postgres -D /data"),
    (640, 620, 640, 640, "?", "Ss", 1, "     \\_ ", "postgres", "postgres: checkpointer"),
    (720, 1, 720, 400, "?", "Sl", 11, "", "containerd-shim", SHIM.format(WEB)),
    (740, 720, 740, 740, "?", "Ss", 1, " \\_ ", "nginx", "nginx: master process nginx -g daemon off;"),
    (760, 720, 760, 760, "pts/0", "Ss+", 1, " \\_ ", "sh", "sh"),
    (800, 1, 800, 800, "?", "Ss", 1, "", "sshd", "sshd: /usr/sbin/sshd -D [listener]"),
    (900, 800, 900, 900, "pts/1", "Ss", 1, " \\_ ", "bash", "-bash"),
    (950, 900, 950, 900, "pts/1", "R+", 1, "     \\_ ", "ps", "ps -axjf"),
)
KEPT = tuple(row for row in ROWS if row[0] not in (900, 950))


def axjf(rows: Any = ROWS) -> str:
    """Return the rows as `ps -axjf` prints them."""
    lines = ["   PPID     PID    PGID     SID TTY        TPGID STAT   UID   TIME COMMAND"]
    for pid, ppid, pgid, sid, tty, stat, _, forest, _, args in rows:
        lines.append(f"{ppid:>7} {pid:>7} {pgid:>7} {sid:>7} {tty:<10} {-1:>5} {stat:<6} {0:>3}   0:00 {forest}{args}")
    return "\n".join(lines) + "\n"


def ef(rows: Any = ROWS) -> str:
    """Return the rows as `ps -ef` prints them."""
    lines = ["UID          PID    PPID  C STIME TTY          TIME CMD"]
    lines += [f"root     {it[0]:>7} {it[1]:>7}  0 09:15 {it[4]:<8} 00:00:00 {it[9]}" for it in rows]
    return "\n".join(lines) + "\n"


def auxf(rows: Any = ROWS) -> str:
    """Return the rows as `ps auxf` prints them."""
    lines = ["USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND"]
    for it in rows:
        lines.append(f"root     {it[0]:>7}  0.0  0.1 166000 11000 {it[4]:<8} {it[5]:<4} Dec01   0:04 {it[7]}{it[9]}")
    return "\n".join(lines) + "\n"


def eo(rows: Any = ROWS) -> str:
    """Return the rows as `ps -eo pid,ppid,pgid,sid,nlwp,stat,lstart,comm,args` prints them."""
    lines = ["    PID    PPID    PGID     SID NLWP STAT                  STARTED COMMAND         COMMAND"]
    for pid, ppid, pgid, sid, _, stat, threads, _, comm, args in rows:
        when = "Tue Dec  1 09:15:30 2026"
        lines.append(f"{pid:>7} {ppid:>7} {pgid:>7} {sid:>7} {threads:>4} {stat:<4} {when} {comm:<15} {args}")
    return "\n".join(lines) + "\n"


def statuses(rows: Any = ROWS, caught: int = 0x4000) -> str:
    """Return /proc/PID/status of each row, as grep prints it."""
    lines = []
    for pid, ppid, *_, threads, _, comm, _ in rows:
        keys = {
            "Name": comm,
            "Pid": pid,
            "PPid": ppid,
            "Threads": threads,
            "SigIgn": "0" * 16,
            "SigCgt": f"{caught:016x}",
        }
        lines += [f"/proc/{pid}/status:{key}:\t{value}" for key, value in keys.items()]
    return "\n".join(lines) + "\n"


def container(name: str, id: str, pid: int, argv: list[str], **more: Any) -> dict[str, Any]:
    """Return what `docker inspect` says of a container, as far as it matters."""
    state = {"Status": "running", "Running": True, "Pid": pid, "ExitCode": 0, "StartedAt": "2026-12-01T09:15:31.5Z"}
    found: dict[str, Any] = {
        "Id": id,
        "Name": f"/{name}",
        "Created": "2026-12-01T09:15:30.1Z",
        "Path": argv[0],
        "Args": argv[1:],
        "RestartCount": 0,
        "State": state | {"FinishedAt": "0001-01-01T00:00:00Z"},
        "HostConfig": {"RestartPolicy": {"Name": "always", "MaximumRetryCount": 0}, "NetworkMode": "back"},
        "Config": {"Image": f"{name}:1", "Env": ["PATH=/bin"], "Labels": {}},
        "NetworkSettings": {"Networks": {"back": {"IPAddress": "172.20.0.2" if name == "web" else "172.20.0.3"}}},
    }
    for key, value in more.items():
        found[key] = found[key] | value if isinstance(value, dict) else value
    return found


PORTS = {"PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}}
EXITED = {"Status": "exited", "Running": False, "Pid": 0, "ExitCode": 3, "FinishedAt": "2026-12-01T09:15:33.5Z"}


def inspected() -> list[dict[str, Any]]:
    """Return what `docker inspect` says of the host's containers."""
    return [
        container("web", WEB, 740, ["nginx", "-g", "daemon off;"], HostConfig=PORTS),
        container("db", DB, 620, ["postgres", "-D", "/data"]),
        container("job", JOB, 0, ["sh", "-c", "exit 3"], State=EXITED, HostConfig={"RestartPolicy": {"Name": "no"}}),
    ]


NETWORK = [{"Name": "back", "Id": "d4" * 32, "Driver": "bridge", "IPAM": {"Config": [{"Subnet": "172.20.0.0/16"}]}}]
INFO = {
    "ServerVersion": "26.1.5", "NCPU": 8, "Name": "shop-1", "CgroupVersion": "2", "CgroupDriver": "systemd",
    "LiveRestoreEnabled": True, "LoggingDriver": "json-file", "SystemTime": "2026-12-01T09:20:00.25Z", "ID": "x",
}  # fmt: skip
DAEMON = {"live-restore": True, "log-opts": {"max-size": "10m"}}
DOCKER_PS = f"""\
CONTAINER ID   IMAGE     COMMAND                  CREATED          STATUS                      PORTS                                     NAMES
{WEB[:12]}   web:1     "nginx -g 'daemon of…"   4 minutes ago    Up 4 minutes                0.0.0.0:8080->80/tcp, :::8080->80/tcp     web
{DB[:12]}   db:1      "postgres -D /data"      4 minutes ago    Up 4 minutes (healthy)                                                db
{JOB[:12]}   job:1     "sh -c 'exit 3'"         4 minutes ago    Exited (3) 4 minutes ago                                              job
"""  # noqa: E501


def outputs() -> dict[str, str]:
    """Return the outputs of the host by name."""
    return {
        "ps-axjf.txt": axjf(),
        "ps-eo.txt": eo(),
        "status.txt": statuses(),
        "inspect.json": json.dumps(inspected(), indent=2),
        "networks.json": json.dumps(NETWORK),
        "info.json": json.dumps(INFO),
        "daemon.json": json.dumps(DAEMON),
        "docker-ps.txt": DOCKER_PS,
    }


def paste() -> str:
    """Return several outputs as somebody pastes them, with prompts and prose."""
    prompt = "root@shop-1:~# "
    return "\n".join(
        [
            "Hi, this is what we see on the host since the upgrade:",
            "",
            f"{prompt}docker ps -a",
            DOCKER_PS + prompt + "ps -axjf",
            axjf() + prompt + "cat /etc/docker/daemon.json",
            json.dumps(DAEMON, indent=2),
            f"{prompt}docker info",
            (
                "Server:\n Containers: 3\n Server Version: 26.1.5\n Cgroup Version: 2\n CPUs: 8\n Name: shop-1\n"
                " Live Restore Enabled: true\n"
            ),
            f"{prompt}",
            "What do we lose when dockerd dies?",
        ]
    )
