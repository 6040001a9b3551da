"""Check `docker ps` cell by cell against the rules of docker 1.13.1."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.engines.docker.shows.ps import docker_ps, ports_text, status
from sim.render.go_tables import human_duration
from sim.views.rows import ContainerRow, PortRow

MINUTE, HOUR, DAY = 60, 3600, 86400
ID = "17d0801f3a10" + "a" * 52
IP = "0.0.0.0"
UNHURRIED = settings(deadline=None)


def row(**fields: object) -> ContainerRow:
    return ContainerRow(**({"id": ID, "image": "img", "path": "/run.sh", "created": 0.0} | fields))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "Less than a second"),
        (0, "Less than a second"),
        (0.999, "Less than a second"),
        (1, "1 second"),
        (1.9, "1 second"),
        (2, "2 seconds"),
        (59.9, "59 seconds"),
        (60, "About a minute"),
        (119, "About a minute"),
        (120, "2 minutes"),
        (HOUR - 1, "59 minutes"),
        (HOUR, "About an hour"),
        (2 * HOUR - 1, "About an hour"),
        (2 * HOUR, "2 hours"),
        (47 * HOUR + 3599, "47 hours"),
        (48 * HOUR, "2 days"),
        (10 * DAY + 23 * HOUR, "10 days"),
        (14 * DAY - 1, "13 days"),
        (14 * DAY, "2 weeks"),
        (60 * DAY - 1, "8 weeks"),
        (60 * DAY, "2 months"),
        (365 * DAY, "12 months"),
        (730 * DAY - 1, "24 months"),
        (730 * DAY, "2 years"),
        (1095 * DAY, "3 years"),
    ],
)
def test_durations_are_cut_down_to_whole_units(seconds: float, text: str) -> None:
    """A duration is told in the largest unit that fits, never rounded up."""
    assert human_duration(seconds) == text


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"running": True, "started": 90.0}, "Up 10 seconds"),
        ({"running": True, "started": 90.0, "paused": True, "health": "healthy"}, "Up 10 seconds (Paused)"),
        (
            {"running": True, "started": 1.0, "finished": 95.0, "restarting": True, "exit_code": 3},
            "Restarting (3) 5 seconds ago",
        ),
        ({"running": True, "started": 90.0, "health": "healthy"}, "Up 10 seconds (healthy)"),
        ({"running": True, "started": 90.0, "health": "unhealthy"}, "Up 10 seconds (unhealthy)"),
        ({"running": True, "started": 90.0, "health": "starting"}, "Up 10 seconds (health: starting)"),
        ({"removing": True, "dead": True}, "Removal In Progress"),
        ({"dead": True}, "Dead"),
        ({}, "Created"),
        ({"started": 1.0}, ""),
        ({"started": 1.0, "finished": 99.0, "exit_code": 137}, "Exited (137) 1 second ago"),
    ],
)
def test_status_tells_the_first_state_that_holds(fields: dict[str, object], text: str) -> None:
    """The states are tried in the engine's order."""
    assert status(row(**fields), 100.0) == text


@pytest.mark.parametrize(
    ("ports", "text"),
    [
        ([], ""),
        ([(3000, 20002, IP, "tcp")], "0.0.0.0:20002->3000/tcp"),
        ([(80, None, "", "tcp"), (443, None, "", "tcp")], "80/tcp, 443/tcp"),
        ([(8002, None, "", "tcp"), (8000, None, "", "tcp"), (8001, None, "", "tcp")], "8000-8002/tcp"),
        ([(80, 80, IP, "tcp"), (81, 81, IP, "tcp"), (82, 82, IP, "tcp")], "0.0.0.0:80-82->80-82/tcp"),
        ([(80, 80, IP, "tcp"), (80, 80, IP, "udp")], "0.0.0.0:80->80/tcp, 0.0.0.0:80->80/udp"),
        ([(90, 9090, IP, "tcp"), (91, None, "", "tcp"), (95, None, "", "tcp")], "91/tcp, 95/tcp, 0.0.0.0:9090->90/tcp"),
        ([(1, None, "", "udp"), (2, None, "", "tcp"), (4, None, "", "tcp")], "2/tcp, 1/udp, 4/tcp"),
    ],
)
def test_ports_merge_into_ranges(ports: list[PortRow], text: str) -> None:
    """Neighbours that keep their number merge; a closed range comes before those left open."""
    assert ports_text(ports) == text


@pytest.mark.parametrize(
    ("path", "args", "cell"),
    [
        ("/run.sh", (), '"/run.sh"'),
        ("/bin/sh", ("-c", "a b"), "\"/bin/sh -c 'a b'\""),
        ("12345678901234567890", (), '"12345678901234567890"'),
        ("123456789012345678901", (), '"12345678901234567..."'),
        ('say"\\', ("\x1b[2J\n",), '"say\\"\\\\ \\x1b[2J\\n"'),
        ("é漢", ("\u202e",), '"é漢 \\u202e"'),
    ],
)
def test_commands_are_cut_and_quoted(path: str, args: tuple[str, ...], cell: str) -> None:
    """A command is cut to 20 letters and quoted, so nothing in it reaches the terminal raw."""
    assert cell in docker_ps([row(path=path, args=args, running=True, started=0.0)], 1.0)


def test_header_alone_is_twenty_wide_columns() -> None:
    """Without containers only the header is printed."""
    titles = ["CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS"]
    assert docker_ps([], 0.0) == "".join(title.ljust(20) for title in titles) + "NAMES\n"


def test_only_running_containers_show_without_all() -> None:
    """A stopped container shows with `all` only, newest first."""
    rows = [row(name="old", created=1.0), row(name="new", created=2.0), row(name="up", started=1.0, running=True)]
    assert [line.split()[-1] for line in docker_ps(rows, 9.0).splitlines()[1:]] == ["up"]
    assert [line.split()[-1] for line in docker_ps(rows, 9.0, all=True).splitlines()[1:]] == ["new", "old", "up"]


def test_no_trunc_shows_ids_and_commands_whole() -> None:
    """Nothing is shortened with `no_trunc`."""
    long = row(image="sha256:" + "b" * 64, path="/usr/bin/a-long-command", running=True, started=0.0)
    whole, short = docker_ps([long], 1.0, no_trunc=True), docker_ps([long], 1.0)
    assert ID in whole
    assert "/usr/bin/a-long-command" in whole
    assert "sha256:" + "b" * 64 in whole
    assert ID not in short
    assert " " + "b" * 12 + " " in short


@UNHURRIED
@given(name=st.text(), image=st.text(min_size=1), path=st.text())
def test_no_name_reaches_the_terminal_raw(name: str, image: str, path: str) -> None:
    """Whatever a container is called, the table has two lines and no control characters."""
    text = docker_ps([row(name=name, image=image, path=path, running=True, started=0.0)], 1.0)
    assert len(text.split("\n")) == 3
    hostile = ("Cc", "Cf", "Cs", "Zl", "Zp")
    assert not [letter for letter in text.replace("\n", "") if unicodedata.category(letter) in hostile]
