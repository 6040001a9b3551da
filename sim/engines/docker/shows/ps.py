"""What `docker ps` prints.

Models: the table of docker 1.13.1: what the engine believes, newest container first; one that is older than the run
was created `?`; neighbouring ports that keep their number merge into ranges, `:::80` as of 26.1.5. Leaves out:
`--size`, `--format`, names by links (the caller gives the name that is shown), the check whether an image reference
still names the same image (the caller gives the text; an image id as `sha256:...` is shown as 12 hex digits), and the
brackets that later clients write around `::` (unverified).
Source: docker 1.13.1, cli/command/formatter/container.go, api/types/container status in container/state.go,
pkg/stringutils; api/client formatter of ports, DisplayablePorts.
"""

import unicodedata
from collections.abc import Sequence

from sim.render.clean import printable
from sim.render.go_tables import ago, human_duration, tabulate
from sim.views.rows import ContainerRow, PortRow

HEADER = ("CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES")
_COMMAND_LENGTH = 20
_Group = tuple[str, str]  # host address and protocol of a port
_HEALTH = {"healthy": "healthy", "unhealthy": "unhealthy", "starting": "health: starting"}
_ESCAPES = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    '"': '\\"',
    "\\": "\\\\",
}


def docker_ps(rows: Sequence[ContainerRow], now: float, *, all: bool = False, no_trunc: bool = False) -> str:
    """Print the running containers, or *all*, at *now* (unix seconds).

    >>> row = ContainerRow(id="17d0801f3a10" + "0" * 52, image="grafana/grafana", path="/run.sh", created=0.0,
    ...                    started=60.0, running=True, name="grafana")
    >>> docker_ps([row], 864060.0).splitlines()[1].split("  ")[0:5:4]
    ['17d0801f3a10', 'grafana/grafana']
    """
    shown = [row for row in rows if all or row.running]
    newest_first = sorted(shown, key=lambda row: -row.created)
    return tabulate([HEADER, *(_texts(row, now, no_trunc) for row in newest_first)])


def status(row: ContainerRow, now: float) -> str:
    """Say what state the engine believes the container to be in, at *now* (unix seconds).

    >>> status(ContainerRow(id="", image="", path="", created=0, started=1, finished=5, exit_code=137), 8.0)
    'Exited (137) 3 seconds ago'
    """
    if row.running:
        return _status_running(row, now)
    if row.removing:
        return "Removal In Progress"
    if row.dead:
        return "Dead"
    if row.started is None:
        return "Created"
    if row.finished is None:
        return ""
    return f"Exited ({row.exit_code}) {human_duration(now - row.finished)} ago"


def _status_running(row: ContainerRow, now: float) -> str:
    """A paused or restarting container does not tell its health."""
    up = f"Up {_since(row.started, now)}"
    if row.paused:
        return f"{up} (Paused)"
    if row.restarting:
        return f"Restarting ({row.exit_code}) {_since(row.finished, now)} ago"
    return up if row.health is None else f"{up} ({_HEALTH.get(row.health, 'unhealthy')})"


def _since(moment: float | None, now: float) -> str:
    assert moment is not None, "a running container has started, a restarting one has finished as well"
    return human_duration(now - moment)


def _texts(row: ContainerRow, now: float, no_trunc: bool) -> tuple[str, ...]:
    return (
        row.id if no_trunc else row.id[:12],
        printable(_image(row.image, no_trunc)),
        _command(row, no_trunc),
        ago(row.created, now),
        status(row, now),
        ports_text(row.ports),
        printable(row.name),
    )


def _image(image: str, no_trunc: bool) -> str:
    if not image:
        return "<no image>"
    return image.removeprefix("sha256:")[:12] if image.startswith("sha256:") and not no_trunc else image


def _command(row: ContainerRow, no_trunc: bool) -> str:
    """Join the words, set those with a blank in quotes, cut to 20 letters and quote the whole."""
    text = " ".join([row.path, *(f"'{word}'" if " " in word else word for word in row.args)])
    if not no_trunc and len(text) > _COMMAND_LENGTH:
        text = text[: _COMMAND_LENGTH - 3] + "..."
    return '"' + "".join(map(_quoted, text)) + '"'


def _quoted(letter: str) -> str:
    """Escape one letter as Go's strconv.Quote does: letters, marks, numbers, signs and the blank stay."""
    if letter in _ESCAPES:
        return _ESCAPES[letter]
    code = ord(letter)
    if letter == " " or unicodedata.category(letter)[0] in "LMNPS":
        return letter
    if 0xDC80 <= code <= 0xDCFF:  # a stray byte
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def ports_text(ports: Sequence[PortRow]) -> str:
    """Join the ports: ranges in the order in which they end, then all that are published on another number.

    >>> ports_text([(3000, 20002, "0.0.0.0", "tcp"), (81, 81, "0.0.0.0", "tcp"), (80, 80, "0.0.0.0", "tcp")])
    '0.0.0.0:80-81->80-81/tcp, 0.0.0.0:20002->3000/tcp'
    """
    ordered = sorted(ports, key=lambda port: (port[0], port[2], port[1] or 0, port[3]))
    moved = [
        f"{ip}:{public or 0}->{private}/{proto}" for private, public, ip, proto in ordered if ip and public != private
    ]
    kept = [((ip, proto), private) for private, public, ip, proto in ordered if not ip or public == private]
    return ", ".join(_ranges(kept) + moved)


def _ranges(kept: Sequence[tuple[_Group, int]]) -> list[str]:
    """Merge neighbouring numbers of a group; a gap closes a range, those left open come in order of appearance."""
    closed: list[str] = []
    runs: dict[_Group, tuple[int, int]] = {}
    for group, number in kept:
        first, last = runs.get(group, (number, number - 1))
        if number != last + 1:
            closed.append(_range(group, first, last))
            first = number
        runs[group] = first, number
    return closed + [_range(group, *run) for group, run in runs.items()]


def _range(group: _Group, first: int, last: int) -> str:
    ip, proto = group
    numbers = str(first) if first == last else f"{first}-{last}"
    return f"{ip}:{numbers}->{numbers}/{proto}" if ip else f"{numbers}/{proto}"
