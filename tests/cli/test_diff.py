"""shimulator diff: two moments, runs or tables; what is gone, new, replaced or has another parent; 0 equal, 1 not."""

import json

import pytest

import sim
from sim.views.table import to_json
from tests.cli.conftest import SMALL

BEFORE = """\
 PPID   PID  PGID   SID TTY      TPGID STAT   UID   TIME COMMAND
    0     1     1     1 ?           -1 Ss       0   0:01 /sbin/init
    1    56    56    56 ?           -1 Ssl      0   0:02 /usr/sbin/dockerd -H unix:///var/run/docker.sock
   56    64    64    64 ?           -1 Ssl      0   0:02  \\_ containerd --config /etc/c.toml
   64   280   280    64 ?           -1 Sl       0   0:00  |   \\_ /usr/bin/containerd-shim-runc-v2 -id abc
  280   305   305   305 ?           -1 Ss       0   0:00  |       \\_ nginx
   56   410    56    56 ?           -1 Sl       0   0:00  \\_ /usr/sbin/docker-proxy -port 80 -container-ip 172.17.0.2
"""
AFTER = """\
 PPID   PID  PGID   SID TTY      TPGID STAT   UID   TIME COMMAND
    0     1     1     1 ?           -1 Ss       0   0:01 /sbin/init
    1   280   280    64 ?           -1 Tl       0   0:00 /usr/bin/containerd-shim-runc-v2 -id abc
  280   305   305   305 ?           -1 Ss       0   0:00  \\_ nginx
    1  1262  1262  1262 ?           -1 Ssl      0   0:00 /usr/sbin/dockerd -H unix:///var/run/docker.sock
 1262  1270  1270  1270 ?           -1 Ssl      0   0:00  \\_ containerd --config /etc/c.toml
 1262  1300  1262  1262 ?           -1 Sl       0   0:00  \\_ /usr/sbin/docker-proxy -port 80 -container-ip 172.17.0.9
 1262  1400  1400  1400 ?           -1 Ss       0   0:00  \\_ runc list
"""


@pytest.fixture
def tables(folder):
    """Write both tables."""
    (folder / "before.txt").write_text(BEFORE)
    (folder / "after.txt").write_text(AFTER)


def test_two_tables_of_ps(shimulator, tables):
    """Each kind of difference is told once: a successor is no loss, whatever its address."""
    said = shimulator("diff", "before.txt", "after.txt")
    assert (said.status, said.err) == (1, "")
    first, *rows = said.out.splitlines()
    assert first == "before.txt → after.txt: 1 new, 3 replaced, 1 re-parented, 1 changed"
    assert [" ".join(row.split()) for row in rows] == [
        "new runc list 1400, child of dockerd 1262",
        "replaced dockerd -H unix:///var/run/docker.sock 56 → 1262",
        "containerd --config /etc/c.toml 64 → 1270",
        "docker-proxy -port 80 -container-ip 172.17.0.2 410 → 1300",
        "re-parented containerd-shim-runc-v2 -id abc 280: containerd 64 → init 1",
        "changed containerd-shim-runc-v2 280 state: S → T",
    ]


def test_equal_tables_differ_in_nothing(shimulator, tables):
    """Status 0, and one line."""
    said = shimulator("diff", "before.txt", "before.txt")
    assert (said.status, said.out) == (0, "before.txt → before.txt: nothing differs\n")


def test_a_table_and_a_moment_of_a_run(shimulator, folder):
    """What a run prints as ps is the run at that moment, and its table in JSON is as well."""
    (folder / "then.txt").write_text(shimulator("show", "small.yaml", "--at", "shot-1s", "--as", "ps-axjf").out)
    run = sim.run(str(folder / "small.yaml"))
    (folder / "then.json").write_text(to_json(run.story("shot-1s").table()))
    for name in ("then.txt", "then.json"):
        assert shimulator("diff", name, "small.yaml@shot-1s").status == 0
        assert shimulator("diff", name, "small.yaml@shot+500ms").status == 1


def test_two_moments_of_a_run_tell_containers_and_ports(shimulator):
    """Of runs the roles are known, what the engine says, and which ports are open to whom."""
    value = json.loads(shimulator("diff", "small.yaml@shot-1s", "small.yaml@shot+500ms", "--json").out)
    assert value["equal"] is False
    assert {"what": "80/tcp from loopback", "before": "open", "after": "closed"} in value["ports"]
    assert {it["name"] for it in value["gone"]} >= {"proxy/db", "proxy/web"}
    moved = {it["before"]["name"]: it["after"]["parent"] for it in value["reparented"]}
    assert moved["shim/web"] == "init 1"


def test_two_runs_are_compared_at_their_ends(shimulator, folder):
    """Without a moment the end counts; the same scenario ends alike, under a setting it does not."""
    assert shimulator("diff", "small.yaml", "small.yaml").status == 0
    (folder / "kept.yaml").write_text(SMALL + "engine: {daemon: {live-restore: true}}\n")
    said = shimulator("diff", "small.yaml", "kept.yaml")
    assert said.status == 1
    assert "small.yaml@end → kept.yaml@end" in said.out


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        ("nofile.txt", "before.txt", "nofile.txt"),
        ("before.txt@kill", "before.txt", "a table is one moment"),
        ("small.yaml@", "before.txt", "FILE@INSTANT"),
        ("small.yaml@kil", "before.txt", "'kil' is not an instant"),
        ("cut.txt", "before.txt", "cut.txt:2:1"),
        ("twice.txt", "before.txt", "pid 1 stands twice"),
        ("short.txt", "before.txt", "no column PPID"),
        ("binary.txt", "before.txt", "binary.txt"),
        ("empty.txt", "before.txt", "empty.txt"),
    ],
)
def test_what_is_no_moment_is_refused(one, other, words, shimulator, tables, folder):
    """Status 2, where it stands, and what to give: never a traceback."""
    (folder / "cut.txt").write_text("PID PPID CMD\nnumber one init\n")
    (folder / "twice.txt").write_text("PID PPID CMD\n1 0 init\n1 0 init\n")
    (folder / "short.txt").write_text("PID TTY TIME CMD\n1 ? 00:00 init\n")
    (folder / "binary.txt").write_bytes(bytes(range(256)) * 4)
    (folder / "empty.txt").write_text("")
    said = shimulator("diff", one, other)
    assert said.status == 2
    assert words in said.err
    assert "Traceback" not in said.err


def test_windows_line_ends_and_a_prompt_above_are_no_matter(shimulator, tables, folder):
    """What is pasted with its prompt, or was kept by an editor of Windows, is the same table."""
    (folder / "pasted.txt").write_bytes(("root@host:~# ps -axjf\n" + BEFORE).replace("\n", "\r\n").encode())
    assert shimulator("diff", "before.txt", "pasted.txt").status == 0
