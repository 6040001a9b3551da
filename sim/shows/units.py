"""What systemctl prints of the engine's unit, or of the units that containers are. Source: `sim.views.unit_status`."""

from __future__ import annotations

from sim.designs.design import Design
from sim.views.story import Story
from sim.views.view import Names, RunView, now


def unit(story: Story, names: Names) -> str:
    """Print the engine's unit, or those of the containers that are asked for, an empty line between two."""
    from sim.render.systemctl_status import systemctl_status
    from sim.views.unit_status import unit_status, units_of

    offset = story.trace.setup.host.tz_minutes
    units = [name for name in names if name in units_of(story)]
    return "\n".join(systemctl_status(unit_status(story, name), now(story), offset) for name in units or [""])


def lacks(design: Design) -> str:
    """Return that a host has no such unit: neither is its engine one, nor are its containers."""
    has = design.engine.is_unit is not None or design.traits.engine in design.programs
    return "" if has else "no daemon is a unit of systemd there"


VIEWS = (RunView(name="systemctl-status", show=unit, lacks=lacks, of="unit", group="host", order=50),)
