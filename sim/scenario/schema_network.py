"""Networks of a scenario file as pydantic models.

Source: Compose file reference, "networks".
"""

from __future__ import annotations

from typing import Annotated, Any

from sim.scenario import network_words
from sim.scenario.fields import Bool, Subnet, Text, kind
from sim.scenario.noted import NOTED
from sim.scenario.schema_program import Strict


class SubnetFile(Strict):
    """One entry of a network's ipam.config."""

    noted = NOTED["subnet"]
    subnet: Subnet | None = None


class IpamFile(Strict):
    """A network's addresses."""

    noted = NOTED["ipam"]
    config: tuple[SubnetFile, ...] = ()


class NetworkFile(Strict):
    """A Compose network."""

    noted = NOTED["network"]
    driver: Text = "bridge"
    internal: Bool = False
    enable_ipv6: Bool = False
    external: Annotated[Any, *kind(network_words.external, type=["boolean", "object"])] = False
    name: Text | None = None
    ipam: IpamFile = IpamFile()
