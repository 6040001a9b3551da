"""What systemctl prints of the engine's unit, or of the units that containers are. Source: `sim.views.unit_status`."""

from __future__ import annotations

from sim.designs.design import Design
from sim.views.story import Story
from sim.views.view import Names, RunView, now


def unit(story: Story, names: Names) -> str:
    """Print the engine's unit, or those that are asked for, an empty line between two; NAME.service is a daemon's.

    Of one that is not there at that moment, print systemctl's own sentence.
    """
    from sim.engines.host.systemd.unit import NOT_FOUND, is_there, own_name
    from sim.render.systemctl_status import systemctl_status
    from sim.views.unit_status import SERVICE, unit_status, units_of

    offset = story.trace.setup.host.tz_minutes
    of_containers = units_of(story)
    units = [name.removesuffix(SERVICE) for name in names if name.endswith(SERVICE) or name in of_containers]
    units = units or [own for own in (own_name(story.world),) if own]
    return "\n".join(
        systemctl_status(unit_status(story, name), now(story), offset)
        if is_there(story.world, name)
        else f"{NOT_FOUND.format(name=name)}\n"
        for name in units
    )


def lacks(design: Design) -> str:
    """Return that a host has no such unit: neither is its engine one, nor are its containers."""
    return "" if design.units else "no daemon is a unit of systemd there"


VIEWS = (RunView(name="systemctl-status", show=unit, lacks=lacks, of="unit", group="host", order=50),)
