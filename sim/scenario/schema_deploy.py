"""The keys under `deploy` of a service that Compose itself reads; a swarm reads more.

Source: Compose file reference, "deploy"; docker/compose v2.40.3 pkg/compose/create.go 558-728.
"""

from __future__ import annotations

from typing import Annotated, Literal

from sim.scenario.fields import Memory, kind, whole
from sim.scenario.noted import NOTED
from sim.scenario.schema_program import Strict

Number = Annotated[int, *kind(whole(0, 1000, "a number of containers"), type="integer", minimum=0)]


class LimitsFile(Strict):
    """What a service may use at most."""

    noted = NOTED["limits"]
    memory: Memory | None = None


class ResourcesFile(Strict):
    """What a service may use."""

    noted = NOTED["resources"]
    limits: LimitsFile = LimitsFile()


class RestartPolicyFile(Strict):
    """What Compose makes a restart policy of, in place of `restart`."""

    noted = NOTED["restart_policy"]
    condition: Literal["none", "no", "on-failure", "any", "always", "unless-stopped"] | None = None
    max_attempts: Annotated[int, *kind(whole(0, 1_000_000, "a number of starts"), type="integer", minimum=0)] = 0


class DeployFile(Strict):
    """What Compose reads of `deploy`; `replicas` is read before (`replicas.py`)."""

    noted = NOTED["deploy"]
    replicas: Number | None = None
    resources: ResourcesFile = ResourcesFile()
    restart_policy: RestartPolicyFile | None = None


OF_DEPLOY: tuple[type[Strict], ...] = (DeployFile, ResourcesFile, LimitsFile, RestartPolicyFile)
