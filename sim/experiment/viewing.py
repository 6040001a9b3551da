"""Which views a design has, and what a view is asked of: everything else is refused with what there is instead.

Source: the project's own; `sim.render.registry`.
"""

from __future__ import annotations

from sim.designs import DESIGNS, Design
from sim.designs.takes import units_in
from sim.engine.role import LAST, Kind
from sim.errors import InputError, Problem, nearest
from sim.render.registry import RUN_VIEWS, VIEWS
from sim.views.story import Story
from sim.views.unit_status import SERVICE, units_of


def all_views() -> tuple[str, ...]:
    """Return the names of all views."""
    return (*VIEWS, *RUN_VIEWS)


def why_lacking(design: Design, view: str) -> str:
    """Return why a view has nothing to show of a design, "" if it has: no such command, or no such program."""
    if view not in RUN_VIEWS:
        return ""
    client = RUN_VIEWS[view].client
    if client not in ("", design.traits.client):
        return f"there is no {client} on its host"
    return RUN_VIEWS[view].lacks(design)


def views_of(design: Design) -> list[str]:
    """Return the views that a design has something to show for."""
    return [view for view in all_views() if not why_lacking(design, view)]


def check_view(view: str, design: str) -> None:
    """Raise InputError for a view that does not exist, or that a *design* has nothing to show for."""
    valid = views_of(DESIGNS[design])
    if view not in all_views():
        hint = f"{nearest(view, valid)} Valid: {', '.join(valid)}.".strip()
        raise InputError([Problem("--as", f"there is no view {view!r}", hint)])
    why = why_lacking(DESIGNS[design], view)
    if why:
        same = f"{DESIGNS[design].traits.client}-{view.partition('-')[2]}"  # the same word of another command
        near = f"Did you mean {same}?" if same in valid else nearest(view, valid)
        hint = f"{near} Valid: {', '.join(valid)}.".strip()
        raise InputError([Problem("--as", f"{design} has no {view}: {why}", hint)])


def containers_of(story: Story, view: str, of: str | None) -> tuple[str, ...]:
    """Return the containers that a view is asked of, the one that is named, or all; or a unit. Raises InputError."""
    names = tuple(service.name for service in story.trace.setup.services)
    may_be_of = _of(view)
    if of is None and (may_be_of != "one" or len(names) == 1):
        return names
    if of is not None and may_be_of == "unit":
        return (_unit(story, of.removesuffix(SERVICE)),)
    if of is not None and not may_be_of:
        of_one = ("any", "one", "unit") if units_of(story) else ("any", "one")
        of_containers = (it for it in views_of(story.world.design) if _of(it) in of_one)
        hint = f"Leave it out, or take one of these views: {', '.join(of_containers)}."
        raise InputError([Problem("--of", f"{view} is not asked of one container", hint)])
    found = None if of is None else story.named(of)
    if found is None:
        what = f"{view} is asked of one container" if of is None else f"there is no container {of[:60]!r}"
        hint = f"{nearest(of or '', names)} There are {', '.join(names) or 'none'}.".strip()
        raise InputError([Problem("--of", what, hint)])
    return (found,)


def _of(view: str) -> str:
    """Return what a view is asked of: one container or all ("any"), one alone ("one"), a unit, or nobody ("")."""
    return RUN_VIEWS[view].of if view in RUN_VIEWS else ""


def _unit(story: Story, name: str) -> str:
    """Return the unit that is called *name*: a daemon's with its ending, or a container. Raises InputError."""
    design, of_containers = story.world.design, units_of(story)
    if name in units_in(design):
        return name + SERVICE
    container = story.named(name)
    if container in of_containers:
        return container
    units = [unit + SERVICE for unit in (*units_in(design), *of_containers)]
    hint = f"{nearest(name + SERVICE, units)} It has {', '.join(units) or 'none'}.".strip()
    raise InputError([Problem("--of", f"{design.name} has no unit {f'{name[:60]}{SERVICE}'!r}", hint)])


def _roles(design: Design) -> str:
    """Return the names of a daemon and of a holder, for those who ask for a process by its role."""
    daemons = [name for name in design.of_kind(Kind.DAEMON, Kind.GUEST) if design.roles[name].order < LAST]
    return " or ".join([*daemons[-1:], *(f"{name}/NAME" for name in design.holders[:1])])


def root_pid(story: Story, root: str | int | None) -> int:
    """Return the pid that *root* names: a number, or a role such as containerd. Raises InputError."""
    procs = story.world.host.procs
    if root is None:
        return 1
    if isinstance(root, int) or root.isdecimal():
        if int(root) in procs:
            return int(root)
        hint = "Give a pid that --as ps-ef shows, or a role."
        raise InputError([Problem("--root", f"no process {root} lives then", hint)])
    role, _, container = root.partition("/")
    living = [p for p in sorted(procs.values(), key=lambda p: p.order) if p.state != "Z"]
    for process in living:
        if process.image.program == role and container in ("", process.image.container):
            return process.pid
    names = {name for p in living for name in (p.image.program, f"{p.image.program}/{p.image.container}")}
    hint = f"{nearest(root, names)} Give a pid, or a role such as {_roles(story.world.design)}.".strip()
    raise InputError([Problem("--root", f"no process {root[:60]!r} lives then", hint)])
