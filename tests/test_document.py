"""The document that this project explains, against a run of its host: every listing of it, and what happens next.

The listings are the document's own blocks; the host is `scenarios/document.yaml`. Nothing is compared with what the
scenario says: pids, addresses and trees come out of the run. Source: the document; engine-1.13 §5, §6, §12, §17.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
import yaml

from sim.engine import paths
from sim.engine.records import Endpoint
from sim.experiment.run import Run, run_scenario
from sim.facts import BecameReady, EngineEvent, StepTaken
from sim.kernel.events import Exited, Reparented, Signalled
from sim.scenario import load
from sim.trace import Record, Replay

ROOT = Path(__file__).parent.parent
FILE = ROOT / "scenarios/document.yaml"
BLOCKS = ROOT / "tests/render/data/document"
SEEDS = range(1, 11)
NAMES = ("grafana", "cadvisor", "arthas", "node_exporter", "prometheus", "e3w")
PIDS = {  # proxy, shim, payload, read off the document
    "grafana": (598, 625, 672),
    "cadvisor": (674, 694, 749),
    "arthas": (717, 782, 802),
    "node_exporter": (748, 759, 777),
    "prometheus": (2921, 2928, 2945),
    "e3w": (28955, 28961, 28978),
}
ADDRESSES = {
    "grafana": "172.18.0.2",
    "prometheus": "172.18.0.3",
    "cadvisor": "172.18.0.4",
    "arthas": "172.18.0.5",
    "node_exporter": "172.18.0.6",
    "e3w": "172.19.0.2",
}
LONE = ("prometheus", "e3w")
KEPT = ("engine.daemon.live-restore=true",)
STOPPED = {"kill: dockerd}": "systemctl: stop docker}"}  # the kill step becomes a stop


@cache
def run(seed: int = 1, settings: tuple[str, ...] = (), old: str = "", new: str = "") -> Run:
    """Run the document's host, perhaps with settings, or with a piece of its text replaced."""
    text = FILE.read_text(encoding="utf-8")
    assert not old or text.count(old) == 1
    return run_scenario(load(FILE, text=text.replace(old, new) if old else text, settings=settings), seed)


def stopped(seed: int = 1, settings: tuple[str, ...] = ()) -> Run:
    """Run the document's host; docker is stopped with systemctl in place of the kill."""
    return run(seed, settings, *next(iter(STOPPED.items())))


def block(name: str) -> list[str]:
    """Return a listing of the document."""
    return (BLOCKS / f"block_{name}.txt").read_text(encoding="utf-8").splitlines()


def four_columns(found: Run, at: str, root: str) -> list[str]:
    """Return PPID, PID, PGID and COMMAND of `ps -axjf`, which is what the document's author kept."""
    rows = found.show("ps-axjf", at, root).splitlines()[1:]
    return [re.sub(r"^(.{17}) .{38}(.*)$", r"\1\2", row) for row in rows]


def pids(found: Run, at: str | None, name: str) -> tuple[int, ...]:
    """Return the living proxy, shim and payload of a container."""
    living = [process for process in found.at(at).host.procs.values() if process.alive]
    by_role = {process.image.program: process.pid for process in living if process.image.container == name}
    return tuple(by_role[role] for role in ("proxy", "shim", "payload") if role in by_role)


def since(found: Run, step: str) -> list[Record]:
    """Return the records from a step on."""
    return found.trace.records[found.trace.index(found.moment(step) - 1) :]


def codes(found: Run, step: str) -> dict[str, str]:
    """Return the exit code that `die` says of each container after a step."""
    events = [record.event for record in since(found, step) if isinstance(record.event, EngineEvent)]
    return {event.container: dict(event.attributes)["exitCode"] for event in events if event.action == "die"}


def seconds(found: Run, step: str, kind: type, program: str) -> list[float]:
    """Return how long after a step events of a kind befell the processes of a program."""
    start, replay, out = found.moment(step), Replay(found.trace), []
    for record in found.trace:
        process = replay.world.host.procs.get(getattr(record.event, "pid", 0))
        late = (record.at or 0) >= start
        if late and isinstance(record.event, kind) and process and process.image.program == program:
            out.append(((record.at or 0) - start) / 1e6)
        replay.step()
    return out


# -- the listings ----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_pstree_of_containerd_is_the_documents(seed: int) -> None:
    """All 13 lines of `pstree 15935` come out."""
    lines = run(seed).show("pstree", "kill-1s", 15935).splitlines()
    assert len(lines) == 13
    assert lines == block("pstree_15935")


def test_pstree_of_a_shim_is_the_documents() -> None:
    """Both lines of `pstree 625` come out."""
    assert run().show("pstree", "kill-1s", 625).splitlines() == block("pstree_625")


@pytest.mark.parametrize("seed", SEEDS)
def test_forest_is_the_documents_but_for_its_slip(seed: int) -> None:
    """20 of the 21 rows of `ps -axjf` come out on 236 columns; in row 777 the document has lost a bar."""
    cut = 236 - 39  # six columns were taken out
    ours, theirs = [row[:cut].rstrip() for row in four_columns(run(seed), "kill-1s", "dockerd")], block("forest")
    assert len(ours) == len(theirs) == 21
    ((mine, his),) = [(mine, his) for mine, his in zip(ours, theirs, strict=True) if mine != his]
    assert mine.startswith(r"  759   777   777  |   |   \_ /bin/node_exporter --path.procfs")
    assert his.startswith(r"  759   777   777  |   \_ /bin/node_exporter --path.procfs")
    assert his.replace("|   ", "|   |   ", 1).startswith(mine)


def test_forest_into_grep_is_the_documents() -> None:
    """All 8 rows of `ps -axjf | grep 15929` come out whole."""
    rows = four_columns(run(), "kill-1s", "dockerd")
    assert [row for row in rows if "15929" in row] == block("grep_15929")


def test_docker_ps_of_grafana_is_the_documents() -> None:
    """The row of `docker ps | grep 17d0801f3a10` comes out letter for letter."""
    rows = run().show("docker-ps", "kill-1s").splitlines()
    assert [row for row in rows if "17d0801f3a10" in row] == block("docker_ps")


def test_ps_ef_into_grep_is_the_documents() -> None:
    """`ps -ef | grep 17d` gives the document's one row."""
    rows = run().show("ps-ef", "kill-1s").splitlines()
    assert [row for row in rows if "17d" in row] == block("ps_ef_17d")


@pytest.mark.parametrize("seed", SEEDS)
def test_the_expectations_of_the_scenario_files_hold(seed: int) -> None:
    """Both bundled files say what must come out, and it does."""
    kept = run_scenario(load("document-live-restore"), seed)
    assert [verdict.holds for found in (run(seed), kept) for verdict in found.verdicts()] == [True] * 8


# -- the numbers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_every_pid_and_address_is_the_documents(seed: int) -> None:
    """Proxies, shims, payloads and addresses of the six containers are those of the document."""
    host = run(seed).at("kill-1s").host
    endpoints = {name: host.files[paths.ENDPOINTS + name] for name in NAMES}
    assert {name: pids(run(seed), "kill-1s", name) for name in NAMES} == PIDS
    assert {name: it.address for name, it in endpoints.items() if isinstance(it, Endpoint)} == ADDRESSES


def test_only_the_parallel_starts_are_pinned_and_the_file_says_so() -> None:
    """The four that started at once have x-pids, for their order is chance; prometheus and e3w have nothing."""
    text = FILE.read_text(encoding="utf-8")
    services = yaml.safe_load(text)["services"]
    assert {name for name in NAMES if "x-pids" in services[name]} == set(NAMES) - set(LONE)
    assert {name for name in NAMES if "x-address" in services[name]} == set(NAMES) - set(LONE)
    assert "x-pids keep the order of forks" in text
    assert text.count("# nothing pinned") == 2


@pytest.mark.parametrize(("name", "first"), [("prometheus", 2915), ("e3w", 28949)])
def test_lone_starts_follow_from_the_next_free_number(name: str, first: int) -> None:
    """Six iptables, then proxy, shim 6 or 7 later, payload 17 later; a counter one further on shifts all by one."""
    proxy, shim, payload = pids(run(), "kill-1s", name)
    assert (proxy - first, payload - shim) == (6, 17)
    assert shim - proxy in (6, 7)
    shifted = run(1, (), f"next_pid: {first}}}", f"next_pid: {first + 1}}}")
    assert pids(shifted, "kill-1s", name) == (proxy + 1, shim + 1, payload + 1)
    others = [other for other in NAMES if other != name]
    assert [pids(shifted, "kill-1s", other) for other in others] == [PIDS[other] for other in others]


def test_the_parents_groups_and_threads_are_the_documents() -> None:
    """Proxies are in dockerd's group; shims and payloads lead groups of their own; java stays in that of its sh."""
    procs = run().at("kill-1s").host.procs
    assert {(it.ppid, it.pgid) for it in procs.values() if it.image.program == "proxy"} == {(15929, 15929)}
    shims = [it for it in procs.values() if it.image.program == "shim"]
    assert {(it.ppid, it.pgid - it.pid, len(it.threads)) for it in shims} == {(15935, 0, 9)}
    containerd = procs[15935]
    assert (containerd.ppid, containerd.pgid, containerd.sid) == (15929, 15935, 15935)
    assert len(containerd.threads) == 16
    assert (procs[1010].ppid, procs[1010].pgid) == (802, 802)
    assert {pid for pid, it in procs.items() if it.ppid == 15935} == {shim for _, shim, _ in PIDS.values()}


@pytest.mark.parametrize("seed", SEEDS)
def test_eleven_quiet_days_cost_nothing(seed: int) -> None:
    """Ten seconds after its start e3w has run long (engine-1.13 §4); from then to the kill there is no record."""
    found = run(seed)
    records = found.trace.records
    ready = next(it for it in records if isinstance(it.event, BecameReady) and it.event.container == "e3w")
    kill = next(it for it in records if isinstance(it.event, StepTaken) and it.event.id == "kill")
    between = [it for it in records[ready.seq + 1 : kill.seq - 1] if it.at != ready.at]
    assert {getattr(it.event, "fid", (0, "uptime/e3w"))[1] for it in between} == {"uptime/e3w"}
    assert len(between) == 3
    assert all((it.at or 0) < (ready.at or 0) + 10_000_000 for it in between)
    assert found.trace.skipped > 1_800_000  # health checks, two a second


# -- dockerd is killed -----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_shims_outlive_dockerd_until_the_next_one_stops_their_payloads(seed: int) -> None:
    """Six shims and payloads live on under PID 1; after 1.1 to 1.5 s the next dockerd sends each of them TERM."""
    found = run(seed)
    adopted = seconds(found, "kill", Reparented, "shim")
    told = [at for at in seconds(found, "kill", Signalled, "payload") if at < 5]
    ended = seconds(found, "kill", Exited, "shim")
    assert len(adopted) == len(told) == len(ended) == 6
    assert max(adopted) < 0.01
    assert all(1.1 < at < 1.5 for at in told)
    assert min(told) < min(ended) < 1.6
    assert sum(at < 3 for at in ended) == 5  # arthas takes ten seconds more
    assert 11.2 < max(ended) < 11.8


@pytest.mark.parametrize("seed", SEEDS)
def test_every_payload_is_new_after_a_kill_of_dockerd(seed: int) -> None:
    """All six run again with new pids; arthas, which does not hear TERM, had to be killed: 137, the others 0."""
    found = run(seed)
    assert codes(found, "kill") == {name: "137" if name == "arthas" else "0" for name in NAMES}
    for name in NAMES:
        after = pids(found, "end", name)
        assert len(after) == 3
        assert not set(after) & set(PIDS[name])


@pytest.mark.parametrize("seed", SEEDS)
def test_live_restore_keeps_every_payload(seed: int) -> None:
    """With live-restore pids stay, shims stay with PID 1, proxies are new, and `start` is said again, `die` never."""
    found = run(seed, KEPT)
    procs = found.at("end").host.procs
    said = [record.event for record in since(found, "kill") if isinstance(record.event, EngineEvent)]
    assert sorted((event.action, event.container) for event in said) == sorted(("start", name) for name in NAMES)
    for name in NAMES:
        proxy, shim, payload = pids(found, "end", name)
        assert (shim, payload) == PIDS[name][1:]
        assert proxy != PIDS[name][0]
        assert procs[shim].ppid == 1
        assert procs[proxy].image.program == "proxy"
        assert procs[procs[proxy].ppid].image.program == "dockerd"


# -- docker is stopped -----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_a_stop_of_docker_stops_all_at_once_and_waits_for_arthas(seed: int) -> None:
    """systemctl stop: five payloads leave within a second, arthas costs ten; nothing is left, pid files included."""
    found = stopped(seed)
    ended = seconds(found, "kill", Exited, "payload")
    assert sum(at < 1 for at in ended) == 5
    assert all(10 < at < 11 for at in ended if at > 1)
    assert 10 < seconds(found, "kill", Exited, "dockerd")[0] < 13
    assert codes(found, "kill") == {name: "137" if name == "arthas" else "0" for name in NAMES}
    host = found.at("end").host
    assert not {"dockerd", "containerd", "shim", "proxy", "payload"} & {it.image.program for it in host.procs.values()}
    assert not {paths.DOCKER_PID, paths.CONTAINERD_PID} & set(host.files)


def test_a_stop_of_docker_with_live_restore_leaves_payloads_alone() -> None:
    """systemctl stop with live-restore: daemons, proxies and pid files go; shims and payloads stay, under PID 1."""
    found = stopped(settings=KEPT)
    host = found.at("end").host
    assert {name: pids(found, "end", name) for name in NAMES} == {name: PIDS[name][1:] for name in NAMES}
    assert {host.procs[shim].ppid for _, shim, _ in PIDS.values()} == {1}
    assert not {"dockerd", "containerd", "proxy"} & {it.image.program for it in host.procs.values()}
    assert not {paths.DOCKER_PID, paths.CONTAINERD_PID} & set(host.files)
    assert seconds(found, "kill", Exited, "dockerd")[0] < 3
