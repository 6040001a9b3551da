"""With which code a command at a terminal leaves, by the error that its user sees: docker's own rule.

An engine whose command has another rule brings it (`Engine.exit_code`). Source: docker 1.13.1, cli/command/container
run.go (runStartContainerErr), cli.StatusError.
"""

from __future__ import annotations

import re

from sim.engine.setup import Docker

EXIT_CODE = re.compile(r"\(?exit code (\d+)\)?\Z")
DAEMON_ERROR = 125  # of docker run


def said_code(error: str) -> int | None:
    """Return the code that an error names, 0 where there is none; None if its words are to tell.

    >>> said_code(""), said_code("exit code 3"), said_code("no such container")
    (0, 3, None)
    """
    found = EXIT_CODE.search(error)
    return int(found[1]) if found else None if error else 0


def exit_code(command: object, error: str) -> int:
    """Return the exit code of a command.

    >>> exit_code(Docker("run", "web"), "Conflict."), exit_code(Docker("stop", "web"), "No such container: web")
    (125, 1)
    """
    code = said_code(error)
    if code is not None:
        return code
    if not isinstance(command, Docker) or command.verb != "run":
        return 1
    error = error.lower()
    if ("executable file" in error and "not found" in error) or "no such file or directory" in error:
        return 127
    return 126 if "permission denied" in error else DAEMON_ERROR
