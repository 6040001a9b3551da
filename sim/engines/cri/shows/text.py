"""Print containers, pods and events as crictl would.

Models: the tables of `crictl ps --resolve-image-path` and `crictl pods` (newest first, 13 digits of an id), the JSON of
`crictl inspect`, and the lines of `crictl events -o go-template --template '{{.createdAt}} {{.containerEventType}}
{{.containerId}}'`. Leaves out ids of images, events of sandboxes, other formats and filters. Source: cri-tools v1.30.0,
cmd/crictl/container.go, sandbox.go, display.go, events.go, util.go; cri-api v1, ContainerEventType. From v1.32 on
`crictl ps` has a column NAMESPACE more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sim.engines.cri.shows.rows import PodContainerRow, SandboxRow
from sim.render.clean import printable
from sim.render.go_json import go_json
from sim.render.go_tables import ago, tabulate
from sim.views.rows import EventRow

CONTAINERS = ("CONTAINER", "IMAGE", "CREATED", "STATE", "NAME", "ATTEMPT", "POD ID", "POD")
PODS = ("POD ID", "CREATED", "STATE", "NAME", "NAMESPACE", "ATTEMPT", "RUNTIME")
DIGITS = 13  # of an id
RUNTIME = "(default)"  # no handler is asked for
NOT_FOUND = 'an error occurred when try to find container "{name}": not found'
EVENTS = {"create": "CREATED", "start": "STARTED", "die": "STOPPED", "destroy": "DELETED"}  # of others there is none


def crictl_ps(rows: Iterable[PodContainerRow], now: float, *, all: bool = False) -> str:
    """Print the containers that run, or *all*, at *now* (unix seconds)."""
    shown = sorted((row for row in rows if all or row.state == "Running"), key=lambda row: -row.created)
    return tabulate([CONTAINERS, *(_container(row, now) for row in shown)])


def _container(row: PodContainerRow, now: float) -> tuple[str, ...]:
    return (
        row.id[:DIGITS],
        printable(row.image),
        ago(row.created, now),
        row.state,
        printable(row.name),
        str(row.attempt),
        row.pod_id[:DIGITS],
        printable(row.pod),
    )


def crictl_pods(rows: Iterable[SandboxRow], now: float) -> str:
    """Print the sandboxes at *now* (unix seconds)."""
    newest_first = sorted(rows, key=lambda row: -row.created)
    return tabulate([PODS, *(_sandbox(row, now) for row in newest_first)])


def _sandbox(row: SandboxRow, now: float) -> tuple[str, ...]:
    name, namespace = printable(row.name), printable(row.namespace)
    return row.id[:DIGITS], ago(row.created, now), row.state, name, namespace, str(row.attempt), RUNTIME


def crictl_inspect(found: Sequence[dict[str, Any]], missing: Iterable[str] = ()) -> str:
    """Print one object after the other, then one line for each name that is *missing*."""
    return "".join(go_json(one, 2) for one in found) + "".join(map(_complaint, missing))


def _complaint(name: str) -> str:
    said = printable(name)
    why = NOT_FOUND.format(name=said)
    return f'getting the status of the container "{said}": rpc error: code = NotFound desc = {why}\n'


def crictl_event(row: EventRow, offset_min: int = 0) -> str:
    """Return the line of one event, "" of one that the runtime does not tell; times are nanoseconds whatever the zone.

    >>> crictl_event(EventRow(1606960050120000, "container", "die", "17d0"))
    '1606960050120000000 CONTAINER_STOPPED_EVENT 17d0'
    """
    kind = EVENTS.get(row.action) if row.type == "container" else None
    return f"{row.at_unix_us}000 CONTAINER_{kind}_EVENT {row.id}" if kind else ""
