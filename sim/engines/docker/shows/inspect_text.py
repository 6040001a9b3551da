"""Print containers as `docker inspect` would: JSON with four blanks a level, then complaints.

Leaves out nothing of what it is given. Source: docker 1.13.1, cli/command/inspect.
"""

from collections.abc import Iterable
from typing import Any

from sim.render.clean import printable
from sim.render.go_json import go_json


def docker_inspect(found: Iterable[dict[str, Any]], missing: Iterable[str] = ()) -> str:
    """Print an array of what was *found*, then one line for each name that is *missing*.

    >>> from sim.views.rows import When
    >>> print(docker_inspect([{"Name": "/a<b", "State": {"StartedAt": When(1.5), "FinishedAt": When(None)}}]), end="")
    [
        {
            "Name": "/a\\u003cb",
            "State": {
                "StartedAt": "1970-01-01T00:00:01.5Z",
                "FinishedAt": "0001-01-01T00:00:00Z"
            }
        }
    ]
    """
    complaints = "".join(f"Error: No such object: {printable(name)}\n" for name in missing)
    return go_json(list(found), 4) + complaints
