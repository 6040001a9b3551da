"""The words of a design in the sentences of properties, and why a property says nothing of a design.

A sentence of the table has places such as `{daemon}` and `{holder}`; each design fills them from its roles, its traits
and its engine. What a design lacks has a general word, and the property that speaks of it does not apply. Each function
of the second part returns what a design lacks, in words that follow its name, or "". Source: none; the project's own
wording.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from sim.engine import paths
from sim.engine.ops import Serve
from sim.engine.program import readers_of
from sim.engine.role import LAST, Kind
from sim.engine.setup import Docker
from sim.engines.host.systemd.unit import TEMPLATE


def words_of(design: Any) -> dict[str, str]:
    """Return what fills the places of a sentence; without a design, general words.

    >>> from sim.designs import DESIGNS
    >>> found = words_of(DESIGNS["docker-26-separate"])
    >>> found["daemon"], found["holder"], found["or_stopped"]
    ('dockerd', 'shim', ' or stopped docker.service or containerd.service')
    """
    if design is None:
        return GENERAL
    daemon, guest = design.traits.engine, first(design.of_kind(Kind.GUEST))
    holder, keeper, own = first(design.holders), keeper_of(design), own_daemons(design)
    home = design.roles[holder].home if holder else ""
    cleaner = " or ".join(f"a working {name}" for name, program in design.programs.items() if program.cleans_up)
    units = " or ".join(f"{name}.service" for name in own_units(design))
    mine = {
        "an_exec": f"{design.traits.client} exec" if design.traits.client else "",
        "a_stop": a_stop(design),
        "daemon": daemon,
        "the_daemon": daemon,
        "The_daemon": daemon,
        "daemons": " and ".join(f"one {name}" for name in own),
        "guest": guest,
        "guest_home": design.roles[guest].home if guest else "",
        "holder": holder,
        "holder_home": home if home in own else keeper,
        "keeper": keeper,
        "the_keeper": keeper,
        "parent": holder or parent_of_programs(design),
        "ending": f"a KILL or {cleaner}" if cleaner else "",
        "forwarder": first(design.of_kind(Kind.FORWARDER)),
        "known": f": to the {daemon} that has read its records, else to the disk" if daemon else "",
        "or_stopped": f" or stopped {units}" if units else "",
        "without_live_restore": "Without live-restore no" if design.traits.live_restore else "",
        "while_away": f" while no {daemon} serves" if daemon else "",
        "queued": queued(design),
    }
    return GENERAL | {place: word for place, word in mine.items() if word}


GENERAL = {
    "an_exec": "An exec",
    "a_stop": "a stop",
    "daemon": "daemon",
    "the_daemon": "the daemon",
    "The_daemon": "The daemon",
    "daemons": "one of each daemon",
    "guest": "A daemon's child",
    "guest_home": "parent",
    "holder": "holder",
    "holder_home": "daemon",
    "keeper": "second daemon",
    "the_keeper": "a second daemon",
    "parent": "holder",
    "ending": "a KILL",
    "forwarder": "forwarder",
    "known": " to the disk",
    "or_stopped": "",
    "without_live_restore": "No",
    "while_away": "",
    "queued": "message waits",
}
"""The words for what a design lacks, or for no design at all."""


def a_stop(design: Any) -> str:
    """Return what people type to stop a container, without its name.

    >>> from sim.designs import DESIGNS
    >>> a_stop(DESIGNS["docker-26"])
    'docker stop'
    """
    return str(design.engine.typed(design, Docker("stop", ""))).strip() if design.traits.client else "a stop"


def first(names: Iterable[str]) -> str:
    """Return the first name, "" if there is none."""
    return next(iter(names), "")


@cache
def own_daemons(design: Any) -> tuple[str, ...]:
    """Return the daemons that are the engine's own, and not the host's, in the order of lists."""
    return tuple(it for it in design.of_kind(Kind.DAEMON, Kind.GUEST) if design.roles[it].order < LAST)


@cache
def own_units(design: Any) -> tuple[str, ...]:
    """Return the units whose main processes are the engine's own daemons."""
    mine = {design.traits.engine_unit, *own_daemons(design)} - {""}
    return tuple(unit for unit in design.units if unit in mine)


def keeper_of(design: Any) -> str:
    """Return the daemon that starts the holders of containers for the one that people ask; "" where it is the same."""
    keeper: str = design.engine.keeper
    return keeper if keeper in design.programs and keeper != design.traits.engine else ""


def parent_of_programs(design: Any) -> str:
    """Return whose children the programs of containers are, where nobody else holds them."""
    return first(role.home for role in design.roles.values() if role.kind is Kind.PAYLOAD)


def queued(design: Any) -> str:
    """Return what waits where for its turn: `task waits in containerd, and no event in dockerd,`."""
    found = [(reader.queue.removesuffix("s"), name) for name, reader in readers_of(design)]
    head = [f"{what} waits in {name}" for what, name in found[:1]]
    more = [f", and no {what} in {name}" for what, name in found[1:]]
    return "".join((*head, *more, "," if more else ""))


# -- what a design lacks ----------------------------------------------------------------------------


def a_daemon(design: Any) -> str:
    """Return that no daemon is the engine."""
    return "" if design.traits.engine else "has no daemon"


def daemons(design: Any) -> str:
    """Return that the engine has no daemon at all."""
    return "" if own_daemons(design) else "has no daemon"


def holders(design: Any) -> str:
    """Return that no process holds a container for its engine."""
    return "" if design.holders else "has no process that holds a container"


def holders_below_a_daemon(design: Any) -> str:
    """Return that holders live under PID 1 by design, in every version, so that none of them can be an orphan."""
    homes = ((it.roles[name].home, it) for it in design.releases.values() for name in it.holders)
    if not design.holders or any(home in own_daemons(it) for home, it in homes):
        return holders(design)
    return f"has every {design.holders[0]} under PID 1"


def forwarders(design: Any) -> str:
    """Return that no process carries the connections of a published port."""
    return "" if design.of_kind(Kind.FORWARDER) else "has no process that forwards a port"


def an_api(design: Any) -> str:
    """Return that people ask no daemon of the engine's for a start: they run a command, or ask an API server."""
    ops = (op for table in design.procedures.values() for op in table.ops)
    serves = any(isinstance(op, Serve) and op.queue == "api" for op in ops)
    return "" if serves else "has no daemon of its own that people ask for a start"


def policies(design: Any) -> str:
    """Return that policies are systemd's business."""
    return "has its containers as units, and systemd starts them again" if TEMPLATE in design.units else ""


def a_log_of_exits(design: Any) -> str:
    """Return that nobody keeps a log of what was told."""
    kept = any(paths.EVENTS_LOG in program.counts for program in design.programs.values())
    return "" if kept else "has no log of exits that a daemon reads again"


def a_guest(design: Any) -> str:
    """Return that no daemon is the child of another."""
    return "" if design.of_kind(Kind.GUEST) else "has no daemon that is the child of another"


def a_keeper(design: Any) -> str:
    """Return that no daemon depends on another one to start holders."""
    return "" if keeper_of(design) else "has no second daemon that starts its containers"


def an_end_with_its_daemon(design: Any) -> str:
    """Return that containers never end because a daemon does."""
    return "" if design.engine.ends_with in design.programs else "has no daemon with which containers end"


def readers(design: Any) -> str:
    """Return that nobody takes what comes for all containers one after the other."""
    return "" if readers_of(design) else "has no queue that the messages of all containers share"
