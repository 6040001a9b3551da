"""Name the views of a moment: of a process table, and of a run.

Models: two literal tables. `VIEWS` prints a process table from some process downwards, whole lines (as with `ps ww` and
`pstree -l`), or writes it for other tools. `RUN_VIEWS` prints what the engine's own commands and the host's files would
show, of a container or of all, and the run up to the moment for viewers of traces. A view that is named after a command
is one of hosts that have it (`Traits.client`): `docker-ps`, `podman-ps`, `crictl-ps`. Leaves out locks that the real
commands wait for. What a view prints is clean: names that would steer the terminal lose the characters that do so,
where the real tool may let them through.
Source: none; the project's own convention.
"""

from collections.abc import Callable

import msgspec

from sim.render import crictl, podman, tree_text
from sim.render.clean import printable_lines
from sim.render.docker_events import docker_event
from sim.render.docker_info import docker_info
from sim.render.docker_inspect import docker_inspect
from sim.render.docker_ps import docker_ps
from sim.render.docker_top import docker_top
from sim.render.ls import ls_l, no_such_folder
from sim.render.ps import ps_auxf, ps_axjf, ps_ef, ps_eo
from sim.render.pstree import pstree
from sim.render.systemctl_status import systemctl_status
from sim.views.crictl import container_status, pod_containers, sandboxes
from sim.views.docker_info import engine_facts
from sim.views.docker_inspect import inspected
from sim.views.docker_top import top
from sim.views.forest import Forest, forest
from sim.views.ls_bundle import bundle
from sim.views.podman import podman_containers, podman_inspected, podman_top
from sim.views.rows import EventRow
from sim.views.story import Story, engine_events
from sim.views.table import Table
from sim.views.tree import subtree, tree
from sim.views.unit_status import unit_status, units_of

View = Callable[[Table, int], str]
Names = tuple[str, ...]  # the containers that are asked for


class RunView(msgspec.Struct, frozen=True):
    """One view of a run: *show* prints it of a story at its moment.

    *client* is the command that the host must have, "" if it takes none. *of* says that it may be asked of one
    container (`any`), or is of one alone (`one`). *paged* views stand on a report's page. Those that are not *on_host*
    are written down elsewhere, so that a host without power does not silence them.
    """

    show: Callable[[Story, Names], str]
    client: str = ""
    of: str = ""
    paged: bool = False
    on_host: bool = True


def _rows_from(view: Callable[[Table], str]) -> View:
    """Show only the rows that descend from the root; from pid 1 all rows, those of no parent included."""
    return lambda table, root: printable_lines(view(table if root == 1 else subtree(table, root)))


def _tree_from(view: Callable[[Forest], str]) -> View:
    """Show the trees of all rows that descend from the root; from pid 1 those of no parent, too."""
    return lambda table, root: view(forest(tree(table if root == 1 else subtree(table, root))))


VIEWS: dict[str, View] = {
    "pstree": lambda table, root: pstree(table, root, width=None),
    "pstree-ascii": lambda table, root: pstree(table, root, ascii=True, width=None),
    "pstree-p": lambda table, root: pstree(table, root, pids=True, width=None),
    "ps-axjf": _rows_from(ps_axjf),
    "ps-ef": _rows_from(ps_ef),
    "ps-eo": _rows_from(ps_eo),
    "ps-auxf": _rows_from(ps_auxf),
    "dot": _tree_from(tree_text.dot),
    "mermaid": _tree_from(tree_text.mermaid),
    "graphml": _tree_from(tree_text.graphml),
}


def _answered(view: Callable[[Story, Names], str]) -> Callable[[Story, Names], str]:
    """Ask the engine, if there is one that answers."""
    return lambda story, names: f"{story.silence()}\n" if story.daemon() is None else view(story, names)


def _now(story: Story) -> float:
    return story.trace.unix(story.at)


def _found(asked: dict[str, dict[str, object] | None]) -> tuple[list[dict[str, object]], list[str]]:
    """Return what was found of those asked for, and the names of which there was nothing."""
    return [one for one in asked.values() if one], [name for name, one in asked.items() if not one]


# -- what the engine has told -----------------------------------------------------------------------

EVENT_LINES: dict[str, Callable[[EventRow, int], str]] = {
    "docker": docker_event,
    "podman": podman.podman_event,
    "crictl": crictl.crictl_event,
}


def event_lines(story: Story) -> list[str]:
    """Return the line of each event up to the moment as the host's command tells it, "" where it tells none."""
    line, offset = EVENT_LINES[story.world.design.traits.client], story.trace.setup.host.tz_minutes
    return [line(row, offset) for row in engine_events(story.trace, story.at)]


def _events(story: Story, names: Names) -> str:
    return "".join(f"{line}\n" for line in event_lines(story) if line)


# -- docker -----------------------------------------------------------------------------------------


def _docker_ps(*, all: bool) -> Callable[[Story, Names], str]:
    return _answered(lambda story, names: docker_ps(story.containers(), _now(story), all=all))


def _docker_inspect(story: Story, names: Names) -> str:
    return docker_inspect(*_found({name: inspected(story, name) for name in names}))


def _docker_info(story: Story, names: Names) -> str:
    return docker_info((row.state for row in story.containers()), engine_facts(story))


DOCKER = {
    "docker-ps": RunView(_docker_ps(all=False), "docker", paged=True),
    "docker-ps-a": RunView(_docker_ps(all=True), "docker"),
    "docker-inspect": RunView(_answered(_docker_inspect), "docker", of="any"),
    "docker-events": RunView(_events, "docker", on_host=False),
    "docker-top": RunView(
        _answered(lambda story, names: printable_lines(docker_top(top(story, names[0])))), "docker", of="one"
    ),
    "docker-info": RunView(_answered(_docker_info), "docker"),
}

# -- podman -----------------------------------------------------------------------------------------


def _podman_ps(*, all: bool) -> Callable[[Story, Names], str]:
    return lambda story, names: podman.podman_ps(podman_containers(story), _now(story), all=all)


def _podman_inspect(story: Story, names: Names) -> str:
    return podman.podman_inspect(*_found({name: podman_inspected(story, name) for name in names}))


PODMAN = {
    "podman-ps": RunView(_podman_ps(all=False), "podman", paged=True),
    "podman-ps-a": RunView(_podman_ps(all=True), "podman"),
    "podman-inspect": RunView(_podman_inspect, "podman", of="any"),
    "podman-events": RunView(_events, "podman", on_host=False),
    "podman-top": RunView(lambda story, names: podman.podman_top(podman_top(story, names[0])), "podman", of="one"),
}

# -- crictl -----------------------------------------------------------------------------------------


def _crictl_ps(*, all: bool) -> Callable[[Story, Names], str]:
    return _answered(lambda story, names: crictl.crictl_ps(pod_containers(story), _now(story), all=all))


def _crictl_pods(story: Story, names: Names) -> str:
    return crictl.crictl_pods(sandboxes(story), _now(story))


def _crictl_inspect(story: Story, names: Names) -> str:
    return crictl.crictl_inspect(*_found({name: container_status(story, name) for name in names}))


CRICTL = {
    "crictl-ps": RunView(_crictl_ps(all=False), "crictl", paged=True),
    "crictl-ps-a": RunView(_crictl_ps(all=True), "crictl"),
    "crictl-pods": RunView(_answered(_crictl_pods), "crictl", paged=True),
    "crictl-inspect": RunView(_answered(_crictl_inspect), "crictl", of="any"),
    "crictl-events": RunView(_events, "crictl", on_host=False),
}

# -- the host ---------------------------------------------------------------------------------------


def _ls(story: Story, names: Names) -> str:
    """List one folder, or all of them, each under its name, after complaints about those that are not there."""
    now, offset = _now(story), story.trace.setup.host.tz_minutes
    folders = [bundle(story, name) for name in names]
    missing = [no_such_folder(folder) for folder, entries in folders if not entries]
    shown = [(folder, ls_l(entries, now, offset)) for folder, entries in folders if entries]
    if len(names) > 1:
        return "".join(missing) + "\n".join(f"{folder}:\n{text}" for folder, text in shown)
    return "".join([*missing, *(text for _, text in shown)])


SERVICE = ".service"  # behind the name of a daemon's unit, to tell it from a container's


def _unit(story: Story, names: Names) -> str:
    """Print the engine's unit, or those that are asked for, an empty line between two; NAME.service is a daemon's."""
    now, offset = _now(story), story.trace.setup.host.tz_minutes
    of_containers = units_of(story)
    units = [name.removesuffix(SERVICE) for name in names if name.endswith(SERVICE) or name in of_containers]
    return "\n".join(systemctl_status(unit_status(story, name), now, offset) for name in units or [""])


def _perfetto(story: Story, names: Names) -> str:
    from sim.render.perfetto import perfetto
    from sim.views.spans import spans

    return perfetto(spans(story.trace, story.at))


RUN_VIEWS: dict[str, RunView] = {
    **DOCKER,
    **PODMAN,
    **CRICTL,
    "systemctl-status": RunView(_unit),
    "ls-bundle": RunView(_ls, of="any"),
    "perfetto": RunView(_perfetto, on_host=False),
}
# View -> the program, or the engine whatever it is called, without which there is nothing to show; why.
NEEDS = {
    "systemctl-status": ("engine", "no daemon is a unit of systemd there"),
    "ls-bundle": ("containerd", "the folder is containerd's"),
}


HOST_OFF = "(the host is off)\n"
OFF_HOST = (  # no command of the host prints them
    "dot", "mermaid", "graphml", *(name for name, view in RUN_VIEWS.items() if not view.on_host),
)  # fmt: skip


def paged(client: str) -> tuple[str, ...]:
    """Return the views of a command that a report shows."""
    return tuple(name for name, view in RUN_VIEWS.items() if view.client == client and view.paged)
