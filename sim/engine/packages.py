"""What the scripts of a package do with a unit when the package is upgraded: as plain data of an engine.

dpkg runs the old package's prerm, unpacks, and runs the new one's postinst; rpm runs the new one's %pre, unpacks, then
the old one's %postun and, last of all, the new one's %posttrans. Leaves out first installs, removals, policy-rc.d, and
units that are disabled: every unit here is enabled. Source: deb-policy ch. 6; rpm's scriptlets; each package's own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

Number = tuple[int, ...]  # a version, () of a design without one


class Scripts(msgspec.Struct, frozen=True):
    """What is done with the unit: *stops* it before the files are replaced, and *then* what systemctl is asked for.

    *if_it_ran*: that is asked for only if the unit was active before, as scripts do that keep a mark of it.
    """

    then: str
    stops: bool = False
    if_it_ran: bool = False


class Package(msgspec.Struct, frozen=True):
    """A package with a unit of systemd: its scripts by the versions that it goes from and to; *source* says where.

    *since* is the first version of which it is known, () for all; *unit* is "" for the engine's own.
    """

    scripts: Callable[[Number, Number], Scripts]
    source: str
    unit: str = ""
    since: Number = ()

    def lacks(self, name: str, design: Any, number: Number) -> str:
        """Return why a host of *design* cannot have the package called *name*, "" if it can."""
        if self.unit and self.unit not in design.units:
            return f"{design.name} has no {self.unit}.service, which {name} restarts."
        if number < self.since:
            return f"{name} is known from {'.'.join(f'{part:02}' for part in self.since)} on."
        return ""


def always(then: str) -> Callable[[Number, Number], Scripts]:
    """Return scripts that do the same in each version.

    >>> always("restart")((26,), (28,))
    Scripts(then='restart', stops=False, if_it_ran=False)
    """
    return lambda before, after: Scripts(then)
