"""Check the lines of `docker events`."""

import json

import pytest

from sim.engines.docker.shows.events import docker_events, rfc3339_nano
from sim.views.rows import EventRow

START = EventRow(
    1606960050123456, "container", "start", "17d0801f3a10", (("name", "grafana"), ("image", "grafana/grafana:7"))
)
PULL = EventRow(1606960000000000, "image", "pull", "grafana/grafana:7", (("name", "grafana/grafana"),))
LINK = EventRow(1606960049999999, "network", "connect", "b6aa", ())


def test_a_line_tells_time_type_action_id_and_sorted_attributes() -> None:
    """The time has nine digits and the offset; attributes are sorted by key."""
    assert docker_events([START], 480) == (
        "2020-12-03T09:47:30.123456000+08:00 container start 17d0801f3a10 (image=grafana/grafana:7, name=grafana)\n"
    )


def test_a_line_without_attributes_has_no_parentheses() -> None:
    """An event without attributes ends with its id."""
    assert docker_events([LINK]) == "2020-12-03T01:47:29.999999000Z network connect b6aa\n"


@pytest.mark.parametrize(("offset_min", "zone"), [(0, "Z"), (480, "+08:00"), (-210, "-03:30"), (330, "+05:30")])
def test_zones_are_written_as_go_writes_them(offset_min: int, zone: str) -> None:
    """UTC is Z, all else a signed offset."""
    assert rfc3339_nano(0, offset_min).endswith(zone)


@pytest.mark.parametrize(
    ("filters", "shown"),
    [
        ({}, [PULL, LINK, START]),
        ({"type": ["container"]}, [START]),
        ({"type": ["container", "network"]}, [LINK, START]),
        ({"event": ["start"]}, [START]),
        ({"event": ["st"]}, []),
        ({"container": ["17d0"]}, [START]),
        ({"container": ["graf"]}, [START]),
        ({"image": ["grafana/grafana"]}, [PULL, START]),
        ({"image": ["grafana/grafana:7"], "type": ["image"]}, [PULL]),
    ],
)
def test_filters_keep_what_meets_all_of_them(filters: dict[str, list[str]], shown: list[EventRow]) -> None:
    """Values of one filter are alternatives, filters must all hold."""
    assert docker_events([PULL, LINK, START], filters=filters) == docker_events(shown)


@pytest.mark.parametrize("bad", [{"filters": {"colour": ["red"]}}, {"format": "yaml"}])
def test_unknown_words_are_refused(bad: dict[str, object]) -> None:
    """An unknown filter or format is an error that names the valid ones."""
    with pytest.raises(ValueError, match="valid: "):
        docker_events([START], **bad)  # type: ignore[arg-type]


def test_json_has_the_keys_of_the_api() -> None:
    """A container's message repeats action, id and image in front."""
    message = json.loads(docker_events([START], format="json"))
    assert list(message) == ["status", "id", "from", "Type", "Action", "Actor", "time", "timeNano"]
    assert message["Actor"] == {"ID": START.id, "Attributes": {"image": "grafana/grafana:7", "name": "grafana"}}
    assert message["timeNano"] == 1606960050123456000
    assert list(json.loads(docker_events([LINK], format="json"))) == ["Type", "Action", "Actor", "time", "timeNano"]


@pytest.mark.parametrize("format", ["text", "json"])
def test_hostile_attributes_do_not_reach_the_terminal(format: str) -> None:
    """Escape sequences, newlines and bidirectional controls never leave raw; JSON keeps their value."""
    evil = "a\x1b[2J\u202eb\nc<\U000e0001"
    text = docker_events([EventRow(0, "container", "die", "x", (("name", evil),))], format=format)
    assert text.count("\n") == 1
    assert text.strip().isprintable()
    if format == "json":
        assert json.loads(text)["Actor"]["Attributes"]["name"] == evil
