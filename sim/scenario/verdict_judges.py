"""Judges: whether one state of the world is as expected, and what it is instead.

A container is what the engine believes (`sim.predicates.believed`). A process is what the kernel knows; zombies count
where existence or state Z is asked for. Every process that is named must be as expected; if there is none at all, only
`exists: false` and a count of 0 are content. Leaves out time: the caller chooses the states. Source: engine-1.13 §16.9.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from difflib import SequenceMatcher

import msgspec

from sim.engine.records import Container
from sim.engine.setup import Target
from sim.engines.host.client import named_by, processes
from sim.engines.host.output import is_shared, stuck
from sim.engines.host.systemd.power import TMPFS
from sim.kernel.records import Pid, Process
from sim.predicates import (
    address_of,
    believed,
    buffered,
    found_at,
    health_of,
    lost,
    named,
    port_open,
    spelled,
    status_of,
)
from sim.scenario.expect import ContainerExpect, FileExpect, PortExpect, ProcessExpect, TreeExpect
from sim.scenario.verdict_words import tally
from sim.views.story import Story
from sim.views.table import Table
from sim.world import World

Show = Callable[[Table, str, Pid], str]  # draws a view of a table from a root on
Identity = tuple[Pid, int]  # a number and which fork it was, since numbers come again
NOBODY: Identity = (0, 0)
NO_ADDRESS = "none"  # as files write it


class Judgement(msgspec.Struct, frozen=True):
    """Whether a state is good, and what it is."""

    good: bool
    detail: str


# -- containers --------------------------------------------------------------------------------------


def identity_of(world: World, container: str) -> Identity:
    """Return the process that the engine believes to be the container's; NOBODY if it believes in none."""
    record = believed(world, container)
    if record is None or not record.pid:
        return NOBODY
    process = world.host.procs.get(record.pid)
    return record.pid, process.order if process else 0


def judge_container(expectation: ContainerExpect, world: World, before: Mapping[str, Identity]) -> Judgement:
    """Compare each container; *before* holds its process at the moment that `pid` compares with."""
    names = expectation.containers
    found = [(name, _container_fault(expectation, world, name, before.get(name, NOBODY))) for name in names]
    faults = [f"{name} {fault}" for name, fault in found if fault]
    record = believed(world, names[0])
    good = f"{names[0]} {_described(record)}" if record else "there is none"
    if record and expectation.restarts is not None:
        good += f", restarted {record.restart_count} times"
    if record and expectation.buffered is not None:
        good += f", {buffered(world, names[0])} bytes on their way to the log"
    if record and expectation.lost is not None:
        good += f", {lost(world, names[0])} bytes lost"
    if record and expectation.address is not None:
        good += f", address {address_of(world, names[0]) or NO_ADDRESS}"
    if record and expectation.health is not None:
        good += f", {health_of(world, names[0])}"
    return Judgement(not faults, tally(len(names), faults, good))


def _container_fault(expectation: ContainerExpect, world: World, name: str, before: Identity) -> str:
    record = believed(world, name)
    if record is None:
        return "" if expectation.exists is False else "does not exist"
    if expectation.exists is False:
        return f"is there, {_described(record)}"
    if expectation.status not in (None, status_of(record)):
        return _described(record)
    if expectation.exit_code is not None and record.exit_code not in expectation.exit_code:
        return f"has exit code {record.exit_code}"
    if expectation.restarts is not None and record.restart_count not in expectation.restarts:
        return f"was restarted {record.restart_count} times"
    if expectation.buffered is not None and buffered(world, name) not in expectation.buffered:
        return f"has {buffered(world, name)} bytes on their way to the log"
    if expectation.lost is not None and lost(world, name) not in expectation.lost:
        return f"has lost {lost(world, name)} bytes"
    if expectation.lost is not None and expectation.lost.high is not None and is_shared(world, name):
        return "loses a part of each line that it prints: two readers share it, and nobody counts that"
    if expectation.oom_killed not in (None, record.oom_killed):
        return "was killed for lack of memory" if record.oom_killed else "was not killed for lack of memory"
    if expectation.stopped_by_hand not in (None, record.manual):
        return "was stopped by hand" if record.manual else "was not stopped by hand"
    address = address_of(world, name) or NO_ADDRESS
    if expectation.address not in (None, address):
        return f"has {'no address' if address == NO_ADDRESS else f'the address {address}'}"
    health = health_of(world, name)
    if expectation.health not in (None, health):
        return f"is {health or 'without a health check'}"
    return "" if expectation.pid is None else _pid_fault(expectation.pid, before, identity_of(world, name))


def _pid_fault(wanted: str, before: Identity, now: Identity) -> str:
    if now == NOBODY:
        return f"has no process; it was {before[0]}" if before[0] else "has no process"
    same = before[0] == now[0] and (before[1] == now[1] or 0 in (before[1], now[1]))
    if same == (wanted == "same"):
        return ""
    return f"still has pid {now[0]}" if same else f"has pid {now[0]}, not {before[0] or 'one then'}"


def _described(record: Container) -> str:
    status = status_of(record)
    return f"{status} (pid {record.pid})" if status in ("running", "paused") else f"{status} ({record.exit_code})"


# -- processes ---------------------------------------------------------------------------------------


def _named(world: World, target: Target, zombies: bool) -> list[Process]:
    """Return the processes that a target names, in the order of their start."""
    return sorted((it for it in named(world, target) if zombies or it.alive), key=lambda it: it.order)


def judge_process(expectation: ProcessExpect, world: World) -> Judgement:
    """Compare each process that is named, and how many they are."""
    zombies = expectation.exists is not None or expectation.state == "Z"
    found = _named(world, expectation.target, zombies)
    count = expectation.count
    if not found and (expectation.exists is False or (count is not None and 0 in count and not expectation.exists)):
        return Judgement(True, "there is none")
    if not found:
        return Judgement(False, f"there is no {expectation.target}")
    if expectation.exists is False:
        return Judgement(False, f"there is {'; '.join(spelled(it) for it in found)}")
    faults = [f"{spelled(it)} {fault}" for it in found if (fault := _process_fault(expectation, world, it))]
    detail = tally(len(found), faults, spelled(found[0]))
    if count is not None and len(found) not in count:
        return Judgement(False, f"there are {len(found)}, not {count}" + (f"; {detail}" if faults else ""))
    return Judgement(not faults, detail)


def _process_fault(expectation: ProcessExpect, world: World, process: Process) -> str:
    parent, target = world.host.procs.get(process.ppid), expectation.parent
    if target is not None and (parent is None or not named_by(world, target, parent.image)):
        return f"has parent {spelled(parent) if parent else process.ppid}"
    if expectation.state not in (None, process.shown_state):
        return f"is in state {process.shown_state}"
    if expectation.blocked not in (None, stuck(world, process.pid)):
        return "waits in write(2)" if expectation.blocked is False else "does not wait in write(2)"
    return ""


# -- files -------------------------------------------------------------------------------------------


def judge_file(expectation: FileExpect, world: World) -> Judgement:
    """Compare whether a file is there. In folders of /run a container's name stands for its id."""
    path = expectation.path
    if path.startswith(TMPFS):
        path = "/".join(world.services[part].id if part in world.services else part for part in path.split("/"))
    exists = path in world.host.files
    return Judgement(exists == expectation.exists, "it is there" if exists else "there is none")


# -- ports -------------------------------------------------------------------------------------------


def judge_port(expectation: PortExpect, world: World) -> Judgement:
    """Compare whether clients reach a port, and what they find."""
    is_open = port_open(world, expectation.port, expectation.source)
    word = "open" if is_open else "closed"
    if expectation.finds is None:
        return Judgement(is_open == expectation.open, word)
    found = found_at(world, expectation.port, expectation.source)
    return Judgement(found == expectation.finds and expectation.open in (None, is_open), found)


# -- trees -------------------------------------------------------------------------------------------

FULL = re.compile(r"\s*(\d+)\s+(\d+)\s+(\d+)\s+\d+\s+(?:\?|\S*\d)\s+-?\d+\s+\S+\s+\d+\s+\S+ (.*)")  # ps -axjf
REDUCED = re.compile(r"\s*(\d+)\s+(\d+)\s+(\d+) (.*)")  # PPID PID PGID COMMAND
AROUND = 24  # so many characters are shown on both sides of a difference


def judge_tree(expectation: TreeExpect, story: Story, show: Show) -> Judgement:
    """Compare a tree's text with the expected lines."""
    roots = processes(story.world, expectation.root)
    if not roots:
        return Judgement(False, f"there is no {expectation.root}")
    text = show(story.table(), expectation.view, roots[0])
    wanted, found = comparable(expectation.lines, text.rstrip().splitlines(), expectation.view)
    equal = sum(block.size for block in SequenceMatcher(None, wanted, found, autojunk=False).get_matching_blocks())
    good = wanted == found if expectation.rows is None else equal in expectation.rows
    detail = f"{equal} of {len(wanted)} lines"
    return Judgement(good, detail if wanted == found else f"{detail}; {first_difference(wanted, found)}")


def comparable(wanted: tuple[str, ...], found: list[str], view: str) -> tuple[list[str], list[str]]:
    """Bring both sides into the form of the expected lines, by what these hold; blanks at ends of lines do not count.

    A listing of `ps -axjf` in the reduced form has no row of ten columns: of ours, too, PPID, PID, PGID and COMMAND
    are kept then, and the title goes where theirs has none. A listing whose widest lines (two or more) end in the same
    column was cut at a screen's edge there: ours is cut as well.
    """
    theirs, ours = [line.rstrip() for line in wanted], [line.rstrip() for line in found]
    if not view.startswith("ps-"):
        return theirs, ours
    if view == "ps-axjf" and not any(FULL.fullmatch(line) for line in theirs):
        theirs, ours = [reduced(line, REDUCED) for line in theirs], [reduced(line, FULL) for line in ours]
    if not theirs[0].lstrip().startswith(("PPID", "PID", "UID", "USER")):
        ours = ours[1:]
    widths = sorted((len(line) for line in theirs), reverse=True)
    if widths[:1] == widths[1:2]:
        ours = [line[: widths[0]].rstrip() for line in ours]
    return theirs, ours


def reduced(line: str, form: re.Pattern[str]) -> str:
    """Keep PPID, PID, PGID and COMMAND of a row, in columns of equal width; what is no row is the title.

    >>> reduced("      1     7     7 ./e3w", REDUCED)
    '    1     7     7 ./e3w'
    """
    row = form.fullmatch(line)
    return f"{row[1]:>5} {row[2]:>5} {row[3]:>5} {row[4]}" if row else " PPID   PID  PGID COMMAND"


def first_difference(wanted: list[str], found: list[str]) -> str:
    """Name the first line that differs, and show both around the place where they part."""
    number = next((i for i, (a, b) in enumerate(zip(wanted, found, strict=False)) if a != b), None)
    if number is None:
        missing = len(wanted) > len(found)
        line = (wanted if missing else found)[min(len(wanted), len(found))]
        return f"{'missing' if missing else 'too many'}: ‘{line[: 3 * AROUND]}’"
    theirs, ours = wanted[number], found[number]
    part = next((i for i, (a, b) in enumerate(zip(theirs, ours, strict=False)) if a != b), min(len(theirs), len(ours)))
    return f"line {number + 1}: expected ‘{around(theirs, part)}’, found ‘{around(ours, part)}’"


def around(line: str, part: int) -> str:
    """Return what stands around a place in a line."""
    low, high = max(0, part - AROUND), part + AROUND
    return ("…" if low else "") + line[low:high] + ("…" if high < len(line) else "")
