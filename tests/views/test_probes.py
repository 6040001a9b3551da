"""What `docker inspect` and `docker ps` tell of health checks.

Oracles: engine-1.13 §3.3 (interval after the end, timeout, five results), §13 (words); docker 1.13.1, daemon/health.go.
"""

import json
from datetime import datetime
from functools import cache
from itertools import pairwise
from typing import Any

from sim.experiment.run import Run, run_scenario
from sim.scenario import load

TEXT = """
host: {begin: "off", clock: 2020-12-03T09:49:00+08:00}
services:
  web: {image: nginx, restart: always, healthcheck: {test: curl localhost, interval: 10s, timeout: 2s, retries: 2}}
  slow: {image: nginx, healthcheck: {test: nap, interval: 10s, timeout: 2s}, x-exec: {nap: {exits: {after: 1h}}}}
  none: {image: nginx, healthcheck: {test: gone, interval: 10s}, x-exec: {gone: {missing: true}}}
steps:
  - {systemctl: start docker}
  - {id: up, at: 10s, compose: up -d}
  - {id: hang, at: 35s, stop: payload/web}
  - {id: go, at: 115s, cont: payload/web}
  - {id: pause, at: 130s, docker: pause slow}
  - {id: unpause, at: 131s, docker: unpause slow}
  - {id: shot, at: 150s, kill: payload/web}
  - {id: stop, at: 190s, docker: stop -t 5 web}
until: 200s
"""


@cache
def run() -> Run:
    return run_scenario(load("health.yaml", TEXT))


def state(found: Run, at: str, name: str) -> dict[str, Any]:
    (shown,) = json.loads(found.show("docker-inspect", at, of=name))
    return dict(shown["State"])


def health(at: str, name: str = "web") -> dict[str, Any]:
    return dict(state(run(), at, name)["Health"])


def codes(at: str, name: str = "web") -> list[int]:
    return [result["ExitCode"] for result in health(at, name)["Log"]]


def status(at: str, name: str = "web") -> str:
    (line,) = (line for line in run().show("docker-ps-a", at).splitlines() if line.endswith(f" {name}"))
    return line[80:].split("   ")[0]


def seconds(result: dict[str, Any]) -> tuple[float, float]:
    start, end = (datetime.fromisoformat(result[key]).timestamp() for key in ("Start", "End"))
    return start, end


def test_the_object_is_gos_down_to_the_blank() -> None:
    """It stands at the end of State, its times in local time; without a health check there is none."""
    (result,) = health("up+15s")["Log"]
    assert f"""\
            "FinishedAt": "0001-01-01T00:00:00Z",
            "Health": {{
                "Status": "healthy",
                "FailingStreak": 0,
                "Log": [
                    {{
                        "Start": "{result["Start"]}",
                        "End": "{result["End"]}",
                        "ExitCode": 0
                    }}
                ]
            }}
        }},
""" in run().show("docker-inspect", "up+15s", of="web")
    assert result["Start"].startswith("2020-12-03T09:49:20.")
    assert result["Start"].endswith("+08:00")
    bare = run_scenario(load("bare.yaml", "services: {web: {image: nginx}}"))
    assert "Health" not in state(bare, "0s", "web")


def test_a_monitor_begins_with_an_empty_log() -> None:
    """It is starting, and nothing has failed."""
    assert health("up+5s") == {"Status": "starting", "FailingStreak": 0, "Log": []}
    assert status("up+5s").endswith(" (health: starting)")


def test_failures_in_a_row_are_counted_and_five_results_kept() -> None:
    """The count goes on beyond the retries; one success ends it. Results follow each other after the interval."""
    assert (codes("hang-1s"), health("hang-1s")["FailingStreak"]) == ([0, 0], 0)
    assert (codes("hang+10s"), health("hang+10s")["Status"]) == ([0, 0, 1], "healthy")
    assert (codes("hang+30s"), health("hang+30s")["FailingStreak"]) == ([0, 0, 1, 1, 1], 3)
    assert status("hang+30s").endswith(" (unhealthy)")
    assert (codes("go-1s"), health("go-1s")["FailingStreak"]) == ([1] * 5, 8)
    assert (codes("go+10s"), health("go+10s")["FailingStreak"]) == ([1, 1, 1, 1, 0], 0)
    assert status("go+10s").endswith(" (healthy)")
    times = [seconds(result) for result in health("go+10s")["Log"]]
    assert all(9.9999 < later - end < 10.0001 for (_, end), (later, _) in pairwise(times))


def test_a_probe_that_takes_too_long_or_cannot_be_started_has_no_code() -> None:
    """-1 stands for it; of the first one the engine writes the Output itself. Each counts once."""
    slow = health("pause-1s", "slow")
    assert all(1.9999 < end - start < 2.0001 for start, end in map(seconds, slow["Log"]))
    assert {(it["ExitCode"], it["Output"]) for it in slow["Log"]} == {(-1, "Health check exceeded timeout (2s)")}
    assert slow["FailingStreak"] == 9  # every 12 s and a little, which the probe takes to end, from 10 s to 119 s
    none = health("pause-1s", "none")
    assert {tuple(it) for it in none["Log"]} == {("Start", "End", "ExitCode")}
    assert {it["ExitCode"] for it in none["Log"]} == {-1}


def test_a_monitor_that_has_ended_says_unhealthy_to_docker_ps_alone() -> None:
    """So it does while a stop waits; inspect keeps what was found last. Paused comes before health."""
    assert status("stop-1s").endswith(" (healthy)")
    assert status("stop+1us").endswith(" (unhealthy)")
    assert health("stop+1us")["Status"] == "healthy"
    assert (status("end")[:10], health("end")["Status"], codes("end")[-1]) == ("Exited (0)", "healthy", 0)
    assert status("unpause-1ms", "slow").endswith(" (Paused)")


def test_a_restart_keeps_the_results() -> None:
    """Status and count begin anew."""
    before, after = health("shot-1ms"), health("start(web)#2+5s")
    assert before["FailingStreak"] == 0
    assert after == {"Status": "starting", "FailingStreak": 0, "Log": before["Log"]}
    assert status("start(web)#2+5s").endswith(" (health: starting)")


def test_what_was_slept_through_is_not_known() -> None:
    """Before t = 0 of a steady host the count of a healthy one alone is known; Log holds what came since."""
    text = """
services:
  web: {image: nginx, ports: ["80:80"], healthcheck: {test: curl, interval: 10s}}
  ill: {image: nginx, healthcheck: {test: bad, interval: 10s}, x-exec: {bad: {exits: {code: 3}}}}
until: 25s
"""
    found = run_scenario(load("steady.yaml", text))
    assert state(found, "0s", "web")["Health"] == {"Status": "healthy", "FailingStreak": 0}
    assert state(found, "0s", "ill")["Health"] == {"Status": "unhealthy"}
    ill = state(found, "end", "ill")["Health"]
    assert (ill["Status"], "FailingStreak" in ill) == ("unhealthy", False)
    assert {result["ExitCode"] for result in ill["Log"]} == {3}
    assert 1 <= len(ill["Log"]) <= 3


def test_a_container_that_was_made_anew_has_no_health_yet() -> None:
    """What was known of one of that name went with it."""
    text = (
        TEXT.partition("steps:")[0]
        + """\
steps:
  - {systemctl: start docker}
  - {id: up, at: 10s, compose: up -d}
  - {at: 30s, docker: rm -f web}
  - {id: new, at: 40s, docker: create --name web nginx}
  - {id: on, at: 50s, docker: start web}
until: 60s
"""
    )
    found = run_scenario(load("anew.yaml", text))
    assert "Health" not in state(found, "new+1s", "web")
    assert state(found, "on+5s", "web")["Health"] == {"Status": "starting", "FailingStreak": 0, "Log": []}
