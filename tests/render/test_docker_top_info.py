"""Check `docker top` and `docker info` over a run."""

import pytest

from sim.engines.docker.shows.info import docker_info, option
from sim.errors import InputError
from sim.experiment.run import Run, run_scenario
from sim.scenario import load

TEXT = """
host: {cores: 3, hostname: h}
engine: {daemon: {live-restore: true}}
services:
  sh: {image: sh, x-payload: {argv: [sh, -c, a  b], children: [{argv: [a, b]}]}}
steps:
  - {id: shot, at: 5s, kill: containerd}
  - {at: 20s, docker: run -d --name loop --restart always busybox sleep 1}
  - {id: stop, at: 30s, docker: stop -t 1 sh}
until: 40s
"""


def run() -> Run:
    return run_scenario(load("top.yaml", TEXT))


def test_top_lists_the_containers_processes_alone() -> None:
    """ps's rows through the tabwriter: 20 wide and 3 more than the longest; the command keeps one blank a word."""
    found = run()
    first, second = sorted(
        it.pid for it in found.at("1s").host.procs.values() if it.image.container == "sh" and it.image.program != "shim"
    )
    shim = found.at("1s").host.procs[first].ppid
    wide = [
        (("UID", "PID", "PPID", "C", "STIME", "TTY", "TIME"), "CMD"),
        (("root", f"{first}", f"{shim}", "0", "2019", "?", "00:00:00"), "sh -c a b"),
        (("root", f"{second}", f"{first}", "0", "2019", "?", "00:00:00"), "a b"),
    ]
    expected = ["".join(cell.ljust(20) for cell in cells) + last for cells, last in wide]
    shown = found.show("docker-top", "1s", of="sh").splitlines()
    assert shown == expected


def test_top_says_why_it_lists_nothing() -> None:
    """The daemon's words: no containerd, a restart that is waited for, a container that has stopped, no name."""
    found = run()
    ids = {service.name: service.id for service in found.trace.setup.services}
    error = "Error response from daemon: "
    assert found.show("docker-top", "shot+200ms", of="sh") == (
        f"{error}rpc error: code = 14 desc = grpc: the connection is unavailable\n"
    )
    assert found.show("docker-top", "end", of="sh") == f"{error}Container {ids['sh']} is not running\n"
    assert found.show("docker-top", "die(loop)#last+1ms", of="loop") == (
        f"{error}Container {ids['loop']} is restarting, wait until the container is running\n"
    )
    with pytest.raises(InputError, match=r"--of: docker-top is asked of one container. There are sh, loop.$"):
        found.show("docker-top")


def test_info_counts_one_that_waits_for_its_restart_as_stopped() -> None:
    """The default case of the count takes created, restarting, removing, exited and dead."""
    states = ("running", "paused", "restarting", "created", "removing", "exited", "dead")
    assert docker_info(states, []) == "Containers: 7\n Running: 1\n Paused: 1\n Stopped: 5\n"


def test_info_of_a_run() -> None:
    """What a run knows, in the command's order."""
    assert (
        run().show("docker-info", "die(loop)#last+1ms")
        == """\
Containers: 2
 Running: 0
 Paused: 0
 Stopped: 2
Server Version: 1.13.1
Storage Driver: overlay2
Logging Driver: journald
Cgroup Driver: systemd
Default Runtime: docker-runc
Init Binary: /usr/libexec/docker/docker-init-current
CPUs: 3
Name: h
Docker Root Dir: /var/lib/docker
Live Restore Enabled: true
"""
    )


def test_options_have_the_engines_defaults() -> None:
    """Without its word dockerd uses cgroupfs; both spellings of an option are read."""
    assert option(("dockerd",), "native.cgroupdriver") == "cgroupfs"
    assert option(("dockerd", "--exec-opt", "native.cgroupdriver=systemd"), "native.cgroupdriver") == "systemd"
    assert option(("dockerd", "--storage-driver", "zfs"), "--storage-driver") == "zfs"


def test_info_tells_what_dockerd_goes_by() -> None:
    """daemon.json counts from the reload on, or from the next start: live-restore by HUP, the log driver by neither."""
    found = run_scenario(
        load(
            "settings.yaml",
            """
engine: {daemon: {log-driver: json-file}}
services: {web: {image: nginx}}
steps:
  - {id: edit, at: 1s, host: {daemon.json: {live-restore: true}}}
  - {id: reload, at: 2s, systemctl: reload docker}
  - {id: again, at: 3s, host: {daemon.json: {live-restore: false}}}
  - {id: up, at: 4s, upgrade: {to: docker-1.13, unpack: 1s}}
until: 30s
""",
        )
    )

    def live_restore(at: str) -> str:
        return found.show("docker-info", at).splitlines()[-1]

    assert live_restore("reload-1ms") == "Live Restore Enabled: false"
    assert live_restore("reload+10ms") == live_restore("up-1ms") == "Live Restore Enabled: true"
    assert live_restore("end") == "Live Restore Enabled: false"
    assert "Logging Driver: json-file" in found.show("docker-info", "end")
    assert "Server Version: 1.13.1\n" in found.show("docker-info", "end")


def test_top_lists_what_was_execd_and_its_orphans() -> None:
    """They are in the container's control group, whoever is their parent."""
    found = run_scenario(
        load(
            "exec.yaml",
            """
services: {web: {image: nginx, x-exec: {job: {exits: {after: 3s}, children: [{argv: [daemon]}]}}}}
steps: [{id: job, at: 1s, docker: exec web job}]
until: 10s
""",
        )
    )
    commands = {
        at: [line.split()[-1] for line in found.show("docker-top", at).splitlines()[1:]]
        for at in ("job", "job+2s", "end")
    }
    assert commands == {"job": ["nginx"], "job+2s": ["nginx", "job", "daemon"], "end": ["nginx", "daemon"]}


def test_top_lists_no_zombie() -> None:
    """A process that has exited has left its control group, though nobody has reaped it."""
    found = run_scenario(
        load(
            "z.yaml",
            """
services: {web: {image: nginx}}
steps: [{id: freeze, at: 1s, stop: shim/web}, {id: shot, at: 2s, kill: payload/web}]
until: 3s
""",
        )
    )
    states = {it.image.program: it.state for it in found.at("end").host.procs.values() if it.image.container == "web"}
    assert states["payload"] == "Z"
    assert len(found.show("docker-top", "shot-1ms", of="web").splitlines()) == 2
    assert found.show("docker-top", "end", of="web").split() == "UID PID PPID C STIME TTY TIME CMD".split()


@pytest.mark.parametrize(
    ("design", "said"),
    [
        ("docker-1.13", "rpc error: code = 14 desc = grpc: the connection is unavailable"),
        ("docker-26-separate", 'dial unix /run/containerd/containerd.sock: connect: connection refused": unavailable'),
    ],
)
def test_without_containerd_top_says_so_in_the_version_s_words(design: str, said: str) -> None:
    """Since 18.09 an error of gRPC is printed without its code."""
    services, steps = "services: {web: {image: nginx}}\n", "steps: [{id: k, at: 1s, kill: containerd}]\n"
    text = f"engine: {{design: {design}}}\n{services}{steps}"
    printed = run_scenario(load("top.yaml", text)).show("docker-top", "k+20ms", of="web")
    assert printed.endswith(f"{said}\n")
