"""Write the PORTS cell of `docker ps`.

Models: docker 1.13.1: neighbouring ports that keep their number merge into ranges; `:::80` as of 26.1.5. Leaves out:
the brackets that later clients write around `::` (unverified).
Source: docker 1.13.1, api/client formatter of ports, DisplayablePorts.
"""

from collections.abc import Sequence

from sim.views.rows import Port

_Group = tuple[str, str]  # host address, protocol


def ports_text(ports: Sequence[Port]) -> str:
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
