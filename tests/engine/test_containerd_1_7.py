"""containerd since 1.3 where its source has a second branch: limits of 5 s, and what they leave behind.

Source of the expectations: containerd v1.7.24 runtime/v2/shim.go, shim_load.go, manager.go, bundle.go.
"""

from __future__ import annotations

import pytest

from sim.designs import DESIGNS
from sim.experiment.run import Run, run_scenario
from sim.scenario import load

WITH_SHIMS_V2 = [name for name in DESIGNS if name.startswith("docker-2")]
NOTICED = [name for name in WITH_SHIMS_V2 if DESIGNS[name].traits.exits_by == "container"]


def judged(design: str, text: str) -> Run:
    """Run a scenario's text on a design; its expectations must hold."""
    found = run_scenario(load("row.yaml", f"engine: {{design: {design}}}\n{text}"), 1)
    assert [f"{it.text}: {it.detail}" for it in found.verdicts() if not it.holds] == []
    return found


@pytest.mark.parametrize("design", WITH_SHIMS_V2)
def test_a_shim_delete_that_takes_too_long_is_given_up(design: str) -> None:
    """After 5 s 255 is told without a pid, which counts where exits are matched by container; the program lives on."""
    noticed = design in NOTICED
    judged(
        design,
        f"""\
services: {{web: {{image: nginx}}}}
steps:
  - {{id: shot, at: 1s, kill: shim/web}}
  - {{id: hang, at: Forked(runc/web)+1ms, stop: runc/web}}
  - {{id: again, at: hang+20s, docker: start web}}
  - {{id: new, at: hang+30s, kill: containerd}}
  - {{id: third, at: hang+60s, docker: start web}}
until: hang+70s
expect:
  - {{at: hang+4900ms, container: web, status: running}}
  - {{at: hang+5500ms, container: web, {"status: exited, exit_code: 255" if noticed else "status: running"}}}
  - {{at: new-1s, process: payload/web, parent: init, count: 1}}
  - {{step: again, {"error: file exists" if noticed else "ok: true"}}}
  - {{step: third, ok: true}}
""",
    )


@pytest.mark.parametrize("design", WITH_SHIMS_V2)
def test_a_shim_delete_after_a_regular_end_leaves_nothing_in_the_way(design: str) -> None:
    """The task was deleted before, and its bundle with it."""
    judged(
        design,
        """\
services: {web: {image: nginx}}
steps:
  - {id: stop, at: 1s, docker: stop web}
  - {id: hang, at: Forked(runc/web)#3+1ms, stop: runc/web}
  - {id: again, at: hang+20s, docker: start web}
until: hang+30s
expect:
  - {at: again-1s, process: runc/web, count: 1}
  - {step: again, ok: true}
  - {at: end, container: web, status: running}
""",
    )


@pytest.mark.parametrize("design", [name for name in WITH_SHIMS_V2 if name.endswith("-separate")])
def test_what_containerd_cannot_be_asked_about_at_boot_stays_as_the_disk_says(design: str) -> None:
    """A new dockerd waits for the answer of a stopped shim, and containerd dies: Up, with no network of its own."""
    judged(
        design,
        """\
services: {web: {image: nginx, ports: ["80:80"], restart: always}}
steps:
  - {id: hang, at: 1s, stop: shim/web}
  - {id: down, at: 2s, kill: dockerd}
  - {id: dead, at: 20s, kill: containerd}
until: 30s
expect:
  - {at: dead-1s, process: dockerd, count: 1}
  - {at: dead+3s, container: web, status: running}
  - {at: end, process: payload/web, count: 1}
  - {at: end, process: proxy/web, exists: false}
  - {events: [], container: web, exact: true}
""",
    )


@pytest.mark.parametrize("design", [name for name in WITH_SHIMS_V2 if DESIGNS[name].traits.coupling == "Wants"])
def test_a_shim_that_stands_still_holds_a_new_containerd_for_five_seconds(design: str) -> None:
    """It is given up, and its container deleted; then containerd serves."""
    judged(
        design,
        """\
services: {web: {image: nginx}}
steps:
  - {id: hang, at: 1s, stop: shim/web}
  - {id: down, at: 2s, systemctl: restart containerd}
  - {id: again, at: 20s, docker: run -d --name late nginx}
until: 60s
expect:
  - {at: down+4500ms, process: payload/web, count: 1}
  - {at: again-1s, process: payload/web, state: Z}
  - {step: again, ok: true}
  - {at: end, container: late, status: running}
""",
    )
