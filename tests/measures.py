"""What tests measure of a run: when programs begin and end, what the engine says, who is whose child; times in s."""

from __future__ import annotations

from itertools import pairwise
from math import inf
from typing import Any

from sim.engine import paths
from sim.engines.host.reach import NETNS
from sim.errors import InputError
from sim.experiment.run import Run
from sim.facts import EngineEvent, StepDone, StepTaken
from sim.kernel.events import Execed, Exited, Listened
from sim.trace import Replay


def seconds(found: Run, at: int | None) -> float:
    return ((at or 0) - found.trace.origin) / 1e6


def step_at(found: Run, step: str) -> float:
    """Return when a step began."""
    return next(seconds(found, it.at) for it in found.trace if isinstance(it.event, StepTaken) and it.event.id == step)


def answered(found: Run, step: str) -> float:
    """Return how long a step's user waited."""
    done = (it.at for it in found.trace if isinstance(it.event, StepDone) and it.event.id == step)
    return next((seconds(found, at) for at in done), inf) - step_at(found, step)


def error_of(found: Run, step: str) -> str:
    """Return the words that a step's user saw."""
    return next(it.event.error for it in found.trace if isinstance(it.event, StepDone) and it.event.id == step)


def said(found: Run, word: str, container: str = "web") -> list[tuple[float, str]]:
    """Return when the engine said a word of a container after t = 0, with the exit code, if it has one."""
    return [
        (seconds(found, it.at), dict(it.event.attributes).get("exitCode", ""))
        for it in found.trace
        if isinstance(it.event, EngineEvent) and (it.event.action, it.event.container) == (word, container)
        and (it.at or 0) > found.trace.origin
    ]  # fmt: skip


def happened(found: Run, kind: Any, program: str, container: str = "") -> list[float]:
    """Return when a program began (Execed), ended (Exited), got a signal or listened, from t = 0 on."""
    times, replay = [], Replay(found.trace)
    for record in found.trace:
        event = record.event
        if isinstance(event, kind) and (record.at or 0) > found.trace.origin:
            image = event.image if isinstance(event, Execed) else replay.world.host.procs[event.pid].image
            if image.program == program and container in ("", image.container):
                times.append(seconds(found, record.at))
        replay.step()
    return times


def ends(found: Run, program: str) -> float:
    """Return when a process of a program ends for the first time."""
    return happened(found, Exited, program)[0]


def pid(found: Run, program: str, at: str | None = None, container: str = "web") -> int:
    procs = found.at(at).host.procs.values()
    return next(it.pid for it in procs if (it.image.program, it.image.container) == (program, container))


def code(found: Run) -> str:
    """Return the exit code that die tells."""
    return said(found, "die")[0][1]


def was_told(found: Run) -> bool:
    """Return whether the engine said die: not where the new containerd was killed before dockerd had read it (T34)."""
    return bool(said(found, "die"))


def ps_columns(found: Run) -> bool:
    """Say whether ppid, pgid and sid of proxy, shim, payload and its child are as ps shows them."""
    host = found.at().host
    of = {(it.image.program, it.image.comm): it for it in host.procs.values()}
    dockerd, containerd = (next(it for it in host.procs.values() if it.image.program == name)
                           for name in ("dockerd", "containerd"))  # fmt: skip
    proxy, shim, payload = (host.procs[pid(found, name)] for name in ("proxy", "shim", "payload"))
    child = next(it for it in of.values() if it.image.comm == "java")
    return (
        (proxy.ppid, proxy.pgid, proxy.sid) == (dockerd.pid, dockerd.pid, dockerd.pid)
        and (shim.ppid, shim.pgid, shim.sid) == (containerd.pid, shim.pid, containerd.pid)
        and (payload.ppid, payload.pgid, payload.sid) == (shim.pid, payload.pid, payload.pid)
        and (child.ppid, child.pgid, child.sid) == (payload.pid, payload.pid, payload.pid)
    )  # fmt: skip


def idle_tree(found: Run) -> str:
    """Count the processes of the document's host, and the tasks of containerd and of a shim."""
    host = found.at("kill-1s").host
    of: dict[str, list[Any]] = {}
    for process in host.procs.values():
        of.setdefault(process.image.program, []).append(process)
    below = [it.image.program for it in host.procs.values() if it.ppid == of["containerd"][0].pid]
    roots = sum(host.procs[it.ppid].image.program == "shim" for it in of["payload"])
    tasks = {1 + len(it.threads) for it in of["shim"]}
    return (
        f"{len(of['dockerd'])} dockerd, {1 + len(of['containerd'][0].threads)} tasks, {below.count('shim')} of "
        f"{len(below)} shims with {tasks} tasks, {roots} payloads, {len(of['proxy'])} proxies"
    )


STARTERS = (
    "runc create below shim, runc delete below containerd, runc delete below shim, runc kill below shim, "
    "runc start below containerd, shim below containerd"
)
VERBS = {"create", "start", "delete", "kill"}


def parents(found: Run) -> str:
    """Return which program starts each shim and runc of a life; stages of runc apart."""
    pairs, replay = set(), Replay(found.trace)
    for record in found.trace:
        event = record.event
        if isinstance(event, Execed) and event.image.program in ("shim", "runc"):
            host, verb = replay.world.host, VERBS & set(event.image.argv)
            parent = host.procs[host.procs[event.pid].ppid].image.program
            if verb or event.image.program == "shim":
                pairs.add(" ".join((event.image.program, *verb, "below", parent)))
        replay.step()
    return ", ".join(sorted(pairs))


def pauses(found: Run) -> list[float]:
    """Return how long after each die the next attempt begins, in s."""
    begins, dies = [at for at, _ in said(found, "connect")], [at for at, _ in said(found, "die")]
    return [again - died for died, again in zip(dies, begins[1:], strict=False)]


def longest_pause(found: Run) -> float:
    """Return by how much the longest pause exceeds 0.1 s."""
    return max(pauses(found)) - 0.1


def lives(found: Run) -> list[float]:
    """Return how long each start and exit of a crash loop take together, backoff and run (10 ms) left out, in s."""
    dies = [at for at, _ in said(found, "die")]
    return [after - before - 0.1 * 2**n - 0.01 for n, (before, after) in enumerate(pairwise(dies))]


def words_of(found: Run, program: str) -> str:
    """Return the words after the program's name of the first such process of web; its folders and id are named."""
    service = found.trace.setup.services[0].id
    image = next(it.event.image for it in found.trace if isinstance(it.event, Execed)
                 and (it.event.image.program, it.event.image.container) == (program, "web"))  # fmt: skip
    text = " ".join(image.argv[1:]).replace(paths.state(service, ""), "STATE/")
    return text.replace(paths.bundle(service), "BUNDLE").replace(service, "ID")


def log_lines(found: Run) -> str:
    """Say how many lines containerd's event log has just before its end, and once the next one serves."""
    files = [found.at(at).host.files[paths.EVENTS_LOG] for at in ("down-1ms", "Connected(containerd)")]
    return ", then ".join("some" if lines else "0" for lines in files)


def exit_status(found: Run, at: str) -> object:
    """Return what the shim of web has written when its payload had ended."""
    return found.at(at).host.files.get(f"{paths.state(found.trace.setup.services[0].id)}/exitStatus")


def attempts(found: Run) -> float:
    """Return by how much the longest pause of a crash loop exceeds 0.1 s doubled each time, in s."""
    return max(pause - 0.1 * 2**n for n, pause in enumerate(pauses(found)))


def address(found: Run, at: str) -> str:
    return str(found.at(at).host.files[NETNS + "s2"])


def new_ones(found: Run) -> int:
    """Count the containerds after the fault."""
    return len(happened(found, Execed, "containerd"))


def healthy(found: Run) -> float:
    """Return how long after the fault dockerd was connected for good."""
    connected = happened(found, Listened, "containerd")
    if not connected or found.at().host.listeners.get(paths.CONTAINERD_SOCK) is None:
        return inf
    try:
        return seconds(found, found.moment("Connected(containerd)#last")) - step_at(found, "down")
    except InputError:
        return inf


def second(found: Run) -> bool:
    """Say whether a second containerd was needed."""
    return new_ones(found) >= 2
