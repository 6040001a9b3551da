"""How long a blast of a large host takes: 200 containers of 25 kinds, every act, on both settings of live-restore.

`python benchmarks/blast.py [--seeds N] [--jobs N] [--design NAME]`; `make bench` measures one seed. The kinds differ in
ready times, in what TERM does, in ports, policies, children and health checks; eight containers are of each.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
from time import perf_counter

from sim.experiment.blast import Host, blast, host_of
from sim.experiment.executors import cores, opened
from sim.scenario import Scenario, load
from sim.views.blast import Blast

KINDS, EACH = 25, 8
POLICIES = ("always", "unless-stopped", "on-failure", "no")
DESIGN = "docker-26-separate"


def host_text(design: str = DESIGN, kinds: int = KINDS, each: int = EACH) -> str:
    """Return the host as a scenario file."""
    services = {}
    for kind in range(kinds):
        for number in range(each):
            port = 10_000 + kind * each + number
            program: dict[str, object] = {"ready": f"{200 + 150 * kind}ms"}
            program["on_term"] = "none" if kind % 6 == 5 else {"exit": 0, "after": f"{50 * (kind % 9)}ms"}
            if kind % 5 == 4:
                program["children"] = [{"argv": [f"worker{kind}"]}]
            service: dict[str, object] = {"image": f"kind{kind}", "restart": POLICIES[kind % 4], "x-payload": program}
            if kind % 3:
                service["ports"] = [f"{port}:80"]
            if kind % 6 == 1:
                service["healthcheck"] = {"test": ["CMD", "true"], "interval": "30s"}
            services[f"k{kind:02d}-{number}"] = service
    return json.dumps({
        "title": f"{kinds * each} containers of {kinds} kinds", "engine": {"design": design},
        "host": {"cores": 16, "pid_max": 4_194_304}, "services": services,
    })  # fmt: skip


def bench_host(design: str = DESIGN, kinds: int = KINDS, each: int = EACH) -> Host:
    """Return the host with everything that may befall it."""
    text = host_text(design, kinds, each)

    def read(settings: tuple[str, ...]) -> Scenario:
        return load("bench.yaml", text, tuple(settings))

    return host_of(read)


def measured(design: str, seeds: int, jobs: int) -> tuple[float, Blast]:
    """Return how many seconds of wall time a blast takes from reading to its rows, and what it found."""
    began = perf_counter()
    host = bench_host(design)
    with opened(jobs) as lanes:
        found = blast(host, host.acts, seeds, lanes=lanes)
    return perf_counter() - began, found


def rows(long: bool) -> list[tuple[str, float, float | None, str]]:
    """Measure; return rows of (what, figure, target or None, at most or at least)."""
    found = [("s that a blast of 200 containers takes, 2 processes", measured(DESIGN, 1, 2)[0], 30.0, "at most")]
    if long:
        found.append(("s that it takes with 20 seeds", measured(DESIGN, 20, 2)[0], 300.0, "at most"))
    return [*found]


def main() -> int:
    """Measure, and print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=cores())
    parser.add_argument("--design", default=DESIGN)
    options = parser.parse_args()
    took, found = measured(options.design, options.seeds, options.jobs)
    runs = sum(len(row.harms) for row in found.rows)
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(it.ru_utime + it.ru_stime for it in used)
    print(f"{found.title} on {options.design}: {len(found.rows)} rows, {runs} runs in {took:.1f} s on {options.jobs} "
          f"processes ({cpu:.1f} s of CPU, {1000 * cpu / runs:.0f} ms a run)")  # fmt: skip
    return 1 if any(row.failed for row in found.rows) else 0


if __name__ == "__main__":
    sys.exit(main())
