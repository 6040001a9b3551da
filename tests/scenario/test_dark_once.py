"""Expectations about dark time replay a run once for each client, however many there are."""

from sim.experiment.run import run_scenario
from sim.scenario import load, verdict

TEXT = """\
services: {a: {image: x, ports: ["80:80"]}, b: {image: x, ports: ["81:81"]}}
steps: [{id: shot, at: 1s, kill: dockerd}]
until: shot+20s
expect:
  - {dark: a, from: remote, max: 10s, during: [shot, end]}
  - {dark: b, from: remote, max: 10s, during: [shot, end]}
  - {dark: all, from: remote, max: 10s, during: [shot, end]}
  - {dark: 80, from: loopback, max: 10s, during: [shot, end]}
"""


def test_a_run_is_replayed_once_for_each_client(monkeypatch):
    """Two clients, four expectations, two replays: a host of 100 published ports has 200 such rows."""
    calls = []
    replay = verdict.intervals
    monkeypatch.setattr(verdict, "intervals", lambda trace, clients: calls.append(clients) or replay(trace, clients))
    assert len(run_scenario(load("x.yaml", TEXT)).verdicts()) == 4
    assert calls == [("remote",), ("loopback",)]
