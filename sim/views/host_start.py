"""What a host did before t = 0: units that its start starts, containers that begin, and which go on in rounds.

Units of containers are left out, since containers are counted. Source: the trace, unit files.
"""

from __future__ import annotations

from sim.designs import DESIGNS, Design
from sim.designs.takes import started_with, units_in
from sim.engine.role import Kind
from sim.engine.setup import Systemctl
from sim.facts import UnitChanged
from sim.kernel.events import Execed
from sim.trace import Trace


def units_at_boot(design: Design) -> dict[str, tuple[str, ...]]:
    """Return by the id of each step with which a host begins the units that it starts.

    >>> from sim.designs import DESIGNS
    >>> units_at_boot(DESIGNS["docker-1.13"])
    {'(start)': ('docker',)}
    """
    own, known = design.traits.engine_unit, units_in(design)
    steps = [(step.id, step.command) for step in design.engine.start if isinstance(step.command, Systemctl)]
    units = ((id_, command.unit if command.unit in known else own) for id_, command in steps)
    return {id_: started_with(design, unit) for id_, unit in units}


def units_started(trace: Trace, design: Design) -> tuple[str, ...]:
    """Return the units of daemons that were active before t = 0, in the order in which they first were."""
    before = (record.event for record in trace.records if (record.at or 0) < trace.origin)
    found = (event.unit for event in before if isinstance(event, UnitChanged) and event.state == "active")
    return tuple(dict.fromkeys(unit for unit in found if unit in units_in(design)))


def containers_begun(trace: Trace) -> int:
    """Return how many containers had a first process of their own before t = 0, whatever has become of it."""
    names = {service.name for service in trace.setup.services}  # a pod's pause is of its sandbox, which has another
    before = (record.event for record in trace.records if (record.at or 0) < trace.origin)
    images = (event.image for event in before if isinstance(event, Execed))
    own = DESIGNS[trace.setup.engine.design].of_kind(Kind.PAYLOAD)
    return len({image.container for image in images if image.program in own} & names)


def in_rounds(trace: Trace) -> tuple[str, ...]:
    """Return the containers for which processes were started in the rounds before those that were jumped over."""
    left = trace.left_out
    if left is None:
        return ()
    images = (
        record.event.image.container
        for record in trace.records
        if isinstance(record.event, Execed) and left.watched < (record.at or 0) <= left.since
    )
    names = {service.name for service in trace.setup.services}
    return tuple(dict.fromkeys(name for name in images if name in names))
