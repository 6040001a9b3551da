"""runc's stages: in which order the container's control group is joined, by version, and what a killed runc leaves.

Source: runc v1.0.0-rc4 and v1.0.0-rc5 libcontainer/process_linux.go initProcess.start; docs/measurements [M].
"""

from __future__ import annotations

import pytest

from sim.designs import DESIGNS
from sim.experiment.run import Run
from sim.kernel import events as e
from tests.engine.test_docker_since import ALL, DOCKERS, run

START = """\
host: {begin: 'off'}
services: {web: {image: nginx}}
steps: [{systemctl: start docker}, {at: 20s, compose: up -d}%s]
until: 200s
"""


def stages(found: Run) -> list[tuple[float, str]]:
    """Return when, in ms from the execve of `runc create`, its stages are forked and one of them joins the group."""
    begun, rows, pids = 0, list[tuple[float, str]](), set[int]()
    for record in found.trace:
        at, event = record.at or 0, record.event
        if isinstance(event, e.Execed) and event.image.program == "runc" and "create" in event.image.argv:
            begun, rows, pids = at, [], set()
        elif isinstance(event, e.Execed) and event.image.argv[-1:] == ("init",):
            rows.append((at, "fork"))
            pids.add(event.pid)
        elif isinstance(event, e.CgroupSet) and event.pid in pids:
            rows.append((at, "join"))
    return [((at - begun) / 1000, word) for at, word in rows]


@pytest.mark.parametrize("design", [name for name in ALL if "runc" in DESIGNS[name].programs])
def test_the_control_group_is_joined_before_the_other_stages_since_18_09(design: str) -> None:
    """Up to rc4 the last stage joins it; since rc5 the first one does, and the others are born there."""
    words = [word for _, word in stages(run(design, START % ""))]
    assert words == (["fork", "join", "fork", "fork"] if design in DOCKERS else ["fork", "fork", "fork", "join"])


def test_the_stages_come_when_they_were_measured() -> None:
    """The first after 5 to 9 ms, the others after about 23: most of that is waiting, which load does not stretch."""
    first, _, second, third = stages(run("docker-26", START % ""))
    assert 5 <= first[0] <= 9
    assert second[0] == pytest.approx(23, abs=4)
    assert third[0] - second[0] < 1


@pytest.mark.parametrize("design", DOCKERS)
def test_a_first_stage_whose_runc_is_gone_leaves(design: str) -> None:
    """runc dies with its shim before it tells the stage to go on: no other stage comes, and nothing is left."""
    found = run(design, START % ", {at: Execed(runc/web)#2+1us, kill: shim/web}")
    assert [it for it in found.at("end").host.procs.values() if it.image.container == "web" and it.alive] == []
    assert [word for _, word in stages(found)] == ["fork"]
