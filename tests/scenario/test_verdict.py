"""Expectations against small runs: each kind holding and failing, and what is undetermined."""

import re

import pytest

from sim.designs import DESIGNS
from sim.designs.takes import lacks
from sim.drive.timed import run
from sim.errors import InputError
from sim.facts import WORLD_EVENTS
from sim.kernel.host import APPLY
from sim.render.registry import VIEWS
from sim.scenario import load
from sim.scenario.verdict import RELEVANT, evaluate
from sim.scenario.verdict_judges import comparable

WEB = """\
services: {web: {image: nginx, ports: ["80:80"], restart: always, x-payload: {ready: 300ms}}}
steps:
  - {id: kill, at: 60s, kill: dockerd}
until: kill+1m
"""
PAIR = """\
services:
  web: {image: nginx, ports: ["80:80"]}
  db: {image: postgres, x-payload: {on_term: ignore}}
steps:
  - {id: shot, at: 60s, kill: shim/web}
  - {id: stop, at: 70s, docker: stop db}
until: 100s
"""
KEPT = WEB.replace("services:", "engine: {daemon: {live-restore: true}}\nservices:")
HUNG = """\
services: {web: {image: nginx, ports: ["80:80"]}}
steps:
  - {id: hold, at: 60s, stop: shim/web}
  - {id: shot, at: 61s, kill: payload/web}
until: 70s
"""
REMOVED = """\
services: {web: {image: nginx}}
steps:
  - {id: rm, at: 1s, docker: rm -f web}
  - {id: again, at: 5s, docker: start web}
until: 10s
"""
FULL = """\
services: {web: {image: nginx, mem_limit: 100m}, db: {image: pg}}
steps:
  - {id: full, at: 1s, oom: web}
  - {at: 2s, host: {daemon.json: {live-restore: true}}}
  - {id: hup, at: 3s, kill: dockerd, signal: HUP}
until: 10s
"""
EVERY_KERNEL_EVENT = tuple(APPLY)
RUNS: dict[str, object] = {}


def traced(text):
    """Return the run of a scenario's text, made once."""
    if text not in RUNS:
        RUNS[text] = run(load("f", text=text).setup)
    return RUNS[text]


def show(table, view, root):
    """Draw a view as the command line does."""
    return VIEWS[view](table, root)


def verdict(text, expectation):
    """Return the verdict on one expectation, given as YAML in braces."""
    scenario = load("f", text=f"{text}expect:\n  - {expectation}\n")
    (found,) = evaluate(scenario, traced(text), show)
    return found


CASES = [
    # what the engine believes
    (PAIR, "{at: shot-1s, container: all, status: running}", True, "2 of 2"),
    (PAIR, "{at: shot+1s, container: all, status: running}", False, r"1 of 2; web exited \(137\)"),
    (PAIR, "{at: shot+1s, container: web, status: exited, exit_code: 137}", True, r"web exited \(137\)"),
    (PAIR, "{at: shot+1s, container: web, exit_code: 0..1}", False, "web has exit code 137"),
    (PAIR, "{at: stop+5s, container: db, status: running}", True, r"db running \(pid \d+\)"),
    (PAIR, "{within: 9s, of: stop, container: db, status: exited}", False, r"never until stop\+9s; then: db running"),
    (PAIR, "{within: 11s, of: stop, container: db, exit_code: 137}", True, r"at stop\+10\.\d+s: db exited \(137\)"),
    (PAIR, "{during: [0s, shot], container: all, status: running, pid: same}", True, "2 of 2"),
    (
        PAIR,
        "{during: [shot, end], container: web, status: running}",
        False,
        r"first failed at shot\+\d+ms: web exited \(137\)",
    ),
    (WEB, "{at: end, container: web, status: running, pid: new}", True, r"web running \(pid \d+\)"),
    (WEB, "{at: end, container: web, pid: same, since: kill-1s}", False, r"web has pid \d+, not \d+"),
    (WEB, "{at: kill+100ms, container: web, status: running, pid: same}", True, "web running"),  # the disk says so
    (WEB, "{at: end, container: web, restarts: 0}", True, "restarted 0 times"),
    (WEB, "{at: end, container: web, restarts: 1..}", False, "web was restarted 0 times"),
    (KEPT, "{during: [kill-1s, end], container: web, status: running, pid: same}", True, "web running"),
    (KEPT, "{at: end, container: web, pid: new, since: kill}", False, r"web still has pid \d+"),
    (FULL, "{at: end, container: web, exit_code: 137, oom_killed: true, address: none}", True, "address none"),
    (FULL, "{at: full, container: web, oom_killed: true}", False, "web was not killed for lack of memory"),
    (FULL, "{at: end, container: web, oom_killed: false}", False, "web was killed for lack of memory"),
    (FULL, "{at: end, container: db, address: 172.17.0.3}", True, "address 172.17.0.3"),
    (FULL, "{at: end, container: db, address: 172.17.0.2}", False, "db has the address 172.17.0.3"),
    (FULL, "{at: end, container: db, address: none}", False, "db has the address 172.17.0.3"),
    (FULL, "{at: end, container: web, address: 172.17.0.2}", False, "web has no address"),
    (WEB, "{at: kill+50ms, container: web, address: 172.17.0.2}", True, "address 172.17.0.2"),  # of its disk
    # what the kernel knows
    (WEB, "{at: kill+500ms, process: shim/web, parent: init}", True, r"shim/web \(\d+\)"),
    (WEB, "{at: kill-500ms, process: 'shim/*', parent: init}", False, r"\(\d+\) has parent containerd \(\d+\)"),
    (WEB, "{at: kill-500ms, process: 'payload/*', parent: shim/web, count: 1}", True, r"payload/web \(\d+\)"),
    (WEB, "{at: kill+50ms, process: dockerd, exists: false}", True, "there is none"),
    (WEB, "{at: kill, process: dockerd, exists: false}", False, r"there is dockerd \(\d+\)"),
    (WEB, "{within: 1s, of: kill, process: dockerd, exists: false}", True, r"at kill\+\d+ms: there is none"),
    (WEB, "{at: kill+50ms, process: dockerd, count: 0}", True, "there is none"),
    (WEB, "{at: kill+50ms, process: dockerd, exists: true}", False, "there is no dockerd"),
    (WEB, "{at: kill+50ms, process: dockerd, parent: init}", False, "there is no dockerd"),
    (PAIR, "{at: shot-1s, process: 'shim/*', count: 2}", True, "2 of 2"),
    (PAIR, "{at: shot-1s, process: 'shim/*', count: 3..}", False, r"there are 2, not 3\.\."),
    (HUNG, "{at: shot-500ms, process: shim/web, state: T}", True, "shim/web"),
    (HUNG, "{at: shot-500ms, process: shim/web, state: S}", False, "is in state T"),
    (HUNG, "{at: shot+1s, process: payload/web, state: Z}", True, r"payload/web \(\d+, zombie\)"),
    (HUNG, "{at: shot+1s, process: payload/web, exists: true}", True, "zombie"),
    (HUNG, "{at: shot+1s, process: payload/web, count: 1}", False, "there is no payload/web"),
    (HUNG, "{at: shot-1ms, process: payload/web, state: Z}", False, "is in state S"),
    # ends of processes
    (PAIR, "{process: 'proxy/web:80', exit_status: 0..2}", True, r"proxy/web \(\d+\) exit \d at 1m\S+"),
    (PAIR, "{within: 1s, of: shot, process: shim/web, exit_status: KILL}", True, r"\(\d+\) killed by KILL at shot"),
    (PAIR, "{within: 1s, of: shot, process: shim/web, exit_status: 137}", True, r"shim/web \(\d+\) killed by KILL"),
    (PAIR, "{within: 1s, of: shot, process: shim/web, exit_status: TERM}", False, r"killed by KILL at shot"),
    (PAIR, "{within: 1s, of: shot, process: shim/web, exit_status: 0}", False, r"killed by KILL at shot"),
    (PAIR, "{at: end, process: 'shim/*', exit_status: 0}", True, r"shim/db \(\d+\) exit 0 at end-"),  # the last one
    (PAIR, "{process: 'shim/*', exit_status: 0}", False, r"1 of 2; shim/web \(\d+\) killed by KILL at 1m"),
    (PAIR, "{during: [0s, shot], process: shim/web, exit_status: 0}", False, "no shim/web has ended"),
    (PAIR, "{at: shot, process: dockerd, exit_status: 0}", False, "no dockerd has ended"),  # others have
    (WEB, "{process: dockerd, exit_status: KILL}", True, "killed by KILL at 1m"),
    # who stopped it
    (PAIR, "{at: stop-1s, container: all, stopped_by_hand: false}", True, "2 of 2"),
    (PAIR, "{at: end, container: db, stopped_by_hand: true}", True, "db exited"),
    (PAIR, "{at: end, container: web, stopped_by_hand: true}", False, "web was not stopped by hand"),
    (PAIR, "{at: end, container: db, stopped_by_hand: false}", False, "db was stopped by hand"),
    # ports
    (WEB, "{at: kill-1s, port: 80, from: remote, open: true}", True, "open"),
    (WEB, "{at: kill+100ms, port: 80, from: loopback, open: true}", False, "closed"),
    (WEB, "{at: kill+100ms, port: 80, from: loopback, open: false}", True, "closed"),
    (WEB, "{within: 30s, of: kill+1s, port: 80, from: loopback, open: true}", True, r"at kill\+[\d.]+s: open"),
    (WEB, "{during: [kill, end], port: 80, from: remote, open: true}", False, r"first failed at kill\+[\d.]+s: closed"),
    (WEB, "{dark: all, from: remote, max: 10s}", True, r"longest [\d.]+m?s \(web:80\)"),
    (WEB, "{dark: web, from: loopback, max: 1s}", False, r"web:80 dark for [\d.]+s from kill\+\d+ms"),
    (WEB, "{during: [kill-10s, kill], dark: 80, from: remote, max: 0s}", True, "never dark"),
    (WEB, "{during: [kill, kill+1s], dark: 80, from: loopback, max: 5s}", False, "web:80 not back, dark for"),
    (PAIR, "{dark: all, from: remote, max: 10m}", False, "web:80 not back, dark for"),
    # files and what is not there
    (WEB, "{at: kill, file: /var/run/docker.pid, exists: true}", True, "it is there"),
    (WEB, "{at: kill, file: /var/run/docker.pid, exists: false}", False, "it is there"),
    (WEB, "{at: kill, file: /var/run/other.pid, exists: true}", False, "there is none"),
    (WEB, "{at: kill, file: /run/runc/web/state.json, exists: true}", True, "it is there"),  # by its name
    (WEB, "{at: kill, file: /run/runc/other/state.json, exists: true}", False, "there is none"),
    (PAIR, "{at: end, container: all, exists: true}", True, "2 of 2"),
    (PAIR, "{at: end, container: db, exists: false}", False, r"db is there, exited \(137\)"),
    (REMOVED, "{at: end, container: web, exists: false}", True, "there is none"),
    (REMOVED, "{during: [0s, end], container: web, exists: true}", False, r"failed at 1\.\d+s: web does not exist"),
    # steps
    (PAIR, "{step: stop, ok: true}", True, r"at 1m2\d\S+: done"),
    (PAIR, "{step: stop, ok: false}", False, "done"),
    (PAIR, "{step: stop, error: ''}", True, "done"),
    (PAIR, "{step: stop, unanswered: true}", False, "done"),
    (PAIR, "{within: 11s, of: stop, step: stop, ok: true}", True, r"at stop\+10\.\d+s: done"),
    (PAIR, "{within: 9s, of: stop, step: stop, ok: true}", False, "no answer"),
    (PAIR, "{at: stop+9s, step: stop, unanswered: true}", True, "no answer"),
    (PAIR, "{at: stop+9s, step: stop, unanswered: false}", False, "no answer"),
    (REMOVED, "{step: again, error: 'No such container: web'}", True, "No such container"),
    (REMOVED, "{step: again, error: 'Cannot connect'}", False, "No such container"),
    (REMOVED, "{step: again, error: ''}", False, "No such container"),
    (REMOVED, "{step: again, ok: false}", True, "No such container"),
    (REMOVED, "{step: again, ok: true}", False, "No such container"),
    # words
    (PAIR, "{events: [die web, kill db, die db, stop db]}", True, "4 of 4 events; kill db came 2 times before die db"),
    (PAIR, "{events: [die web, stop web]}", False, r"1 of 2 events; no stop web after die web at 1m[\d.]+s"),
    (PAIR, "{events: [die db, kill db]}", False, "1 of 2 events; no kill db after die db"),
    (PAIR, "{events: [start web]}", False, "0 of 1 events; no start web"),  # the prologue's does not count
    (PAIR, "{events: [kill db, kill db, die db, stop db], exact: true}", True, "4 of 4 events"),
    (PAIR, "{events: [kill db, die db], exact: true}", False, r"event 2 is kill db at 1m2\ds|event 2 is kill db"),
    (PAIR, "{events: [die web, start web], exact: true}", False, "1 of 2 events; no start web"),
    (PAIR, "{events: [{die web: 137}, {kill db: TERM}, {kill db: 9}, {die db: 130..140}, stop db]}", True, "5 of 5"),
    (PAIR, "{events: [{die web: 0}]}", False, r"0 of 1 events; no die web \(0\)"),
    (PAIR, "{events: [{kill db: 9}, {kill db: 15}]}", False, r"no kill db \(15\) after kill db \(9\) at 1m2\d"),
    (
        PAIR,
        "{events: [{kill db: 15}, {kill db: 9}, {die db: 1}, stop db], exact: true}",
        False,
        r"event 3 is die db \(137\) at 1m2\S+, not die db \(1\)",
    ),
    (PAIR, "{events: [die, network disconnect], container: web, exact: true}", True, "2 of 2 events"),
    (PAIR, "{events: [{die: 137}], container: web, exact: true}", False, "event 2 is network disconnect web at"),
    (PAIR, "{events: [die web, network disconnect web, start web], exact: true}", False, "2 of 3 events; no start web"),
    (PAIR, "{events: [die web, network connect web]}", False, "1 of 2 events; no network connect web after die web"),
    (PAIR, "{events: [], container: web, exact: true}", False, "event 1 is die web at"),
    (PAIR, "{events: [{kill db: 15}, {next: {kill db: 9}}, {next: die db}, {next: stop db}]}", True, "4 of 4 events$"),
    (PAIR, "{events: [kill db, {next: die db}]}", False, r"1 of 2 events; next after kill db at \S+ came kill db at"),
    (PAIR, "{events: [{kill db: 15}, {next: {kill db: 1}}]}", False, r"came kill db \(9\) at \S+, not kill db \(1\)$"),
    (PAIR, "{events: [die, stop], container: db, next: true}", True, "2 of 2 events$"),
    (PAIR, "{events: [kill db, die db, stop db], next: true}", False, "1 of 3 events; next after kill db"),
    (PAIR, "{events: [die web, {next: kill db}]}", True, "2 of 2 events$"),  # networks are not asked about
    (PAIR, "{events: [die web, {next: network disconnect web}, {next: kill db}]}", True, "3 of 3 events$"),
    (PAIR, "{events: [die web, {next: start web}]}", False, "1 of 2 events; no start web after die web"),
    (PAIR, "{events: [kill db, die db]}", True, "kill db came 2 times before die db"),  # which of them is meant?
    (PAIR, "{events: [kill db, kill db, die db]}", True, "3 of 3 events$"),
    (FULL, "{events: [oom web, die web, daemon reload]}", True, "3 of 3 events"),
    (FULL, "{events: [daemon reload, die web]}", False, "1 of 2 events; no die web after daemon reload"),
    (FULL, "{events: [daemon reload, daemon reload], exact: true}", False, "1 of 2 events; no daemon reload"),
    (FULL, "{events: [oom, die, network disconnect], container: web, exact: true}", True, "3 of 3 events"),
    (PAIR, "{during: [0s, shot-1s], events: [], container: web, exact: true}", True, "there are none"),
    (PAIR, "{during: [0s, shot], events: [die web]}", False, "0 of 1 events; no die web"),
    (PAIR, "{within: 1s, of: shot, events: [die web]}", True, "1 of 1 events"),
]


@pytest.mark.parametrize(("text", "expectation", "holds", "detail"), CASES, ids=[case[1] for case in CASES])
def test_each_kind_holds_and_fails(text, expectation, holds, detail):
    """The verdict is the right one, and says what was found."""
    found = verdict(text, expectation)
    assert found.holds is holds, found
    assert re.search(detail, found.detail), found.detail


@pytest.mark.parametrize(
    ("expectation", "detail"),
    [
        ("{at: die(web)#9, container: web, status: running}", "die(web)#9 never came"),
        ("{at: oom(web)+1s, port: 80, from: remote, open: true}", "oom(web) never came"),
        ("{at: end+1s, container: web, status: running}", "the run ended before end+1s"),
        ("{at: end, container: web, pid: new, since: Exited(exec/web)}", "Exited(exec/web) never came"),
        ("{at: kill, container: web, pid: new, since: end}", "end, which pid compares with, came after kill"),
        ("{during: [end, kill], container: web, status: running}", "kill came before end"),
        ("{during: [kill-1s, oom(web)], process: dockerd, exists: true}", "oom(web) never came"),
        ("{during: [0s, end+1s], process: init, exists: true}", "the run ended before end+1s; until then: init (1)"),
        ("{within: 1h, of: kill, container: web, status: dead}", "the run ended before kill+1h; until then: web"),
        ("{during: [kill-1s, end+1s], dark: all, from: remote, max: 10m}", "the run ended before end+1s"),
        ("{within: 1h, of: kill, events: [oom web]}", "0 of 1 events; no oom web"),
        ("{within: 1h, of: start(web), events: [start web, {next: oom web}]}", "1 of 2 events; no oom web after"),
        ("{at: end+1s, step: kill, unanswered: true}", "the run ended before end+1s"),
        ("{during: [end+1s, end+2s], events: [die web]}", "the run ended before end+1s"),
        ("{at: end+1s, process: dockerd, exit_status: KILL}", "the run ended before end+1s"),
        ("{within: 1h, of: kill, process: containerd, exit_status: KILL}", "the run ended before kill+1h"),
    ],
)
def test_what_cannot_be_told_is_undetermined(expectation, detail):
    """An instant never came, or the run ended too early to tell."""
    found = verdict(WEB, expectation)
    assert found.holds is None, found
    assert found.detail.startswith(detail), found.detail


@pytest.mark.parametrize(
    ("expectation", "holds"),
    [
        ("{during: [kill-1s, end+1h], process: dockerd, exists: true}", False),
        ("{within: 1h, of: kill, process: dockerd, exists: false}", True),
        ("{during: [kill-1s, end+1h], dark: all, from: loopback, max: 1s}", False),
        ("{within: 1h, of: kill, events: [die web]}", True),
        ("{within: 1h, of: kill, process: dockerd, exit_status: 0}", False),
    ],
)
def test_what_an_unfinished_interval_has_shown_counts(expectation, holds):
    """A bad state decides `during`, a good one `within`, however early the run ends."""
    assert verdict(WEB, expectation).holds is holds


STOPPED = """\
services: {web: {image: x, restart: always}, db: {image: y}}
steps:
  - {id: stop, at: 1s, docker: stop web}
  - {id: again, at: 20s, docker: start web}
until: 30s
expect:
  - {at: stop-500ms, container: web, stopped_by_hand: false}
  - {within: 15s, of: stop, container: web, stopped_by_hand: true}
  - {at: end, container: all, stopped_by_hand: false}
"""


@pytest.mark.parametrize("design", DESIGNS)
def test_the_mark_of_a_stop_by_hand_is_that_of_each_engine_that_has_one(design):
    """A stop sets it, the next start takes it away; where no record has it a file cannot ask for it."""
    text = f"engine: {{design: {design}}}\n{STOPPED}"
    if lacks(DESIGNS[design], "expect", "stopped_by_hand"):
        with pytest.raises(InputError, match=f"{design} has no stopped_by_hand: "):
            load("f", text=text)
        return
    scenario = load("f", text=text)
    found = evaluate(scenario, run(scenario.setup), show)
    assert [it.holds for it in found] == [True] * 3, found


def test_words_of_a_verdict():
    """The label is the file's, the text says what was expected."""
    found = verdict(PAIR, "{during: [shot, 1m40s], container: [web, db], status: running, pid: same, since: 0s}")
    assert (found.label, found.text) == ("shot … 1m40s", "all containers running, same pid since 0s")
    found = verdict(PAIR, "{within: 60000ms, of: shot, port: 80, from: remote, open: false}")
    assert (found.label, found.text) == ("within 60000ms of shot", "port 80 closed from remote")
    found = verdict(PAIR, "{events: [die web, {next: {kill db: 15}}]}")
    assert found.text == "events die web, next kill db (15)"
    assert verdict(PAIR, "{process: shim/web, exit_status: KILL}").text == "shim/web killed by KILL"
    assert verdict(PAIR, "{process: shim/web, exit_status: 0..2}").text == "shim/web exit status 0..2"
    assert verdict(PAIR, "{at: end, container: db, stopped_by_hand: true}").text == "db stopped by hand: yes"
    found = verdict(PAIR, "{dark: all, from: remote, max: 2500ms}")
    assert (found.label, found.text) == ("first step … end", "every port dark from remote for at most 2.5s")


def test_many_expectations_cost_one_replay_and_keep_the_files_order():
    """Verdicts come in the file's order, whatever the order of their moments, and each is what it is alone."""
    mine = [case for case in CASES if case[0] == PAIR]
    lines = "".join(f"  - {expectation}\n" for _, expectation, _, _ in mine)
    found = evaluate(load("f", text=f"{PAIR}expect:\n{lines}"), traced(PAIR), show)
    assert [it.holds for it in found] == [holds for _, _, holds, _ in mine]
    assert [it.detail for it in found] == [verdict(PAIR, expectation).detail for _, expectation, _, _ in mine]


def test_looking_only_after_relevant_facts_misses_nothing(monkeypatch):
    """Judging after every fact gives the same verdicts as judging after those that a judge's answer depends on."""
    spans = [case for case in CASES if re.search("during|within", case[1])]
    before = [verdict(text, expectation) for text, expectation, _, _ in spans]
    monkeypatch.setattr("sim.scenario.verdict.RELEVANT", dict.fromkeys(RELEVANT, WORLD_EVENTS + EVERY_KERNEL_EVENT))
    assert [verdict(text, expectation) for text, expectation, _, _ in spans] == before


# -- trees ------------------------------------------------------------------------------------------

PSTREE = """\
docker-containe─┬─docker-containe─┬─nginx
                │                 └─9*[{docker-containe}]
                └─16*[{docker-containe}]
"""


def tree(text, lines, **keys):
    """Return the verdict on a tree given as lines."""
    block = "".join(f"      {line}\n" for line in lines.splitlines())
    more = "".join(f"    {key}: {value}\n" for key, value in keys.items())
    scenario = load("f", text=f"{text}expect:\n  - at: 10s\n    tree: |\n{block}{more}")
    (found,) = evaluate(scenario, traced(text), show)
    return found


def test_a_tree_equals_its_lines():
    """Every line must be equal; the first one that is not is shown."""
    good = tree(WEB, PSTREE, root="containerd", view="pstree")
    assert (good.holds, good.detail) == (True, "3 of 3 lines")
    bad = tree(WEB, PSTREE.replace("9*", "8*"), root="containerd", view="pstree")
    assert bad.holds is False
    assert bad.detail.startswith("2 of 3 lines; line 2: expected ‘")
    assert "8*[" in bad.detail
    assert "9*[" in bad.detail
    assert tree(WEB, PSTREE.replace("9*", "8*"), root="containerd", view="pstree", rows="2..3").holds is True
    assert tree(WEB, PSTREE.replace("9*", "8*"), root="containerd", view="pstree", rows="3").holds is False


def test_a_tree_without_its_root_fails():
    """A root that is not there is said."""
    found = tree(WEB, PSTREE, root="exec/web", view="pstree")
    assert (found.holds, found.detail) == (False, "there is no exec/web")


def test_a_reduced_listing_is_compared_by_its_four_columns():
    """Without title and cut at a screen's edge, as the document has it; the full form is compared whole."""
    text = show(story_table(), "ps-axjf", 1)
    rows = text.splitlines()[1:]
    assert comparable(tuple(text.splitlines()), text.splitlines(), "ps-axjf")[0] == text.splitlines()
    four = [re.sub(r"^(.{17}) .{38}(.*)$", r"\1\2", row) for row in rows]
    for width in (40, 60, 500):
        theirs, ours = comparable(tuple(row[:width] for row in four), text.splitlines(), "ps-axjf")
        assert theirs == ours
    titled = (" PPID   PID  PGID COMMAND", *four)
    theirs, ours = comparable(titled, text.splitlines(), "ps-axjf")
    assert theirs == ours
    wide = tuple(re.sub(r"^(.{5}) (.{5}) (.{5}) ", r"  \1   \2   \3 ", row)[:50] for row in four)
    theirs, ours = comparable(wide, text.splitlines(), "ps-axjf")
    assert theirs == ours


def story_table():
    """Return the process table of a small host."""
    from sim.views.story import Story

    trace = traced(PAIR)
    return Story(trace).to(trace.origin).table()


# -- bundled scenarios ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["document", "document-live-restore", "reboot-herd", "shim-while-containerd-down"])
def test_bundled_scenarios_hold(name):
    """With seed 1 every expectation of the scenarios that come with the program holds."""
    scenario = load(name)
    found = evaluate(scenario, run(scenario.setup), show)
    assert [(it.label, it.detail) for it in found if not it.holds] == []
