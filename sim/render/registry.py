"""Name the views of a moment: of a process table, and of a run.

Models: two literal tables. `VIEWS` prints a process table from some process downwards, whole lines (as with `ps ww` and
`pstree -l`), or writes it for other tools. `RUN_VIEWS` prints what the engine's own commands and the host's files would
show, of a container or of all, and the run up to the moment for viewers of traces. Leaves out: locks that the real
commands wait for. What a view prints is clean: names that would steer the terminal lose the characters that do so,
where the real tool may let them through.
Source: none; the project's own convention.
"""

from collections.abc import Callable

from sim.render import tree_text
from sim.render.clean import printable_lines
from sim.render.docker_events import docker_events
from sim.render.docker_info import docker_info
from sim.render.docker_inspect import docker_inspect
from sim.render.docker_ps import docker_ps
from sim.render.docker_top import docker_top
from sim.render.ls import ls_l, no_such_folder
from sim.render.ps import ps_auxf, ps_axjf, ps_ef, ps_eo
from sim.render.pstree import pstree
from sim.render.systemctl_status import systemctl_status
from sim.views.docker_info import engine_facts
from sim.views.docker_inspect import inspected
from sim.views.docker_top import complaint, top
from sim.views.forest import Forest, forest
from sim.views.ls_bundle import bundle
from sim.views.story import Story, engine_events
from sim.views.table import Table
from sim.views.tree import subtree, tree
from sim.views.unit_status import unit_status, units_of

View = Callable[[Table, int], str]
RunView = Callable[[Story, tuple[str, ...]], str]  # a story at its moment; which containers are asked for


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


def _answered(view: RunView) -> RunView:
    """Ask dockerd, if there is one that answers."""
    return lambda story, names: f"{story.silence()}\n" if story.daemon() is None else view(story, names)


def _ps(story: Story, *, all: bool) -> str:
    return docker_ps(story.containers(), story.trace.unix(story.at), all=all)


def _inspect(story: Story, names: tuple[str, ...]) -> str:
    found = {name: inspected(story, name) for name in names}
    return docker_inspect((one for one in found.values() if one), [name for name, one in found.items() if not one])


def _ls(story: Story, names: tuple[str, ...]) -> str:
    """List one folder, or all of them, each under its name, after complaints about those that are not there."""
    now, offset = story.trace.unix(story.at), story.trace.setup.host.tz_minutes
    folders = [bundle(story, name) for name in names]
    missing = [no_such_folder(folder) for folder, entries in folders if not entries]
    shown = [(folder, ls_l(entries, now, offset)) for folder, entries in folders if entries]
    if len(names) > 1:
        return "".join(missing) + "\n".join(f"{folder}:\n{text}" for folder, text in shown)
    return "".join([*missing, *(text for _, text in shown)])


def _top(story: Story, names: tuple[str, ...]) -> str:
    return printable_lines(docker_top(top(story, names[0]), complaint(story)))


def _info(story: Story, names: tuple[str, ...]) -> str:
    return docker_info((row.state for row in story.containers()), engine_facts(story))


def _unit(story: Story, names: tuple[str, ...]) -> str:
    """Print the engine's unit, or those of the containers that are asked for, an empty line between two."""
    now, offset = story.trace.unix(story.at), story.trace.setup.host.tz_minutes
    units = [name for name in names if name in units_of(story)]
    return "\n".join(systemctl_status(unit_status(story, name), now, offset) for name in units or [""])


def _perfetto(story: Story, names: tuple[str, ...]) -> str:
    from sim.render.perfetto import perfetto
    from sim.views.spans import spans

    return perfetto(spans(story.trace, story.at))


RUN_VIEWS: dict[str, RunView] = {
    "docker-ps": _answered(lambda story, names: _ps(story, all=False)),
    "docker-ps-a": _answered(lambda story, names: _ps(story, all=True)),
    "docker-inspect": _answered(_inspect),
    "docker-events": lambda story, names: docker_events(
        engine_events(story.trace, story.at), story.trace.setup.host.tz_minutes
    ),
    "docker-top": _answered(_top),
    "docker-info": _answered(_info),
    "systemctl-status": _unit,
    "ls-bundle": _ls,
    "perfetto": _perfetto,
}
OF_CONTAINERS = ("docker-inspect", "docker-top", "ls-bundle")  # may be asked of one container
OF_ONE = ("docker-top",)  # of one alone
# View -> the program, or the engine whatever it is called, without which there is nothing to show; why; what to ask.
NEEDS = {
    "docker-info": ("dockerd", "no daemon answers docker info", "docker-ps-a lists the containers."),
    "systemctl-status": ("engine", "there is no docker.service", "pstree shows what PID 1 runs."),
    "ls-bundle": ("containerd", "the folder is containerd's", "docker-inspect says what is known of a container."),
}


HOST_OFF = "(the host is off)\n"
OFF_HOST = ("docker-events", "dot", "mermaid", "graphml", "perfetto")  # no command of the host prints them
