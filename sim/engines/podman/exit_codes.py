"""With which code a podman command leaves, by the error that its user sees.

Source: podman v5.4.2, libpod/define/exec_codes.go 24-62, cmd/podman/containers/rm.go 177-188, root.go 121,
pkg/domain/infra/abi/containers.go 886-913 (exec), 1018 (start), 1140-1146 (run); measured of 5.4.2.
"""

from __future__ import annotations

from sim.engine.exit_codes import said_code
from sim.engine.setup import Docker
from sim.engines.podman.states import IMPROPER

ERROR, NOT_INVOKED, NOT_FOUND, REFUSED = 125, 126, 127, 255
NO_SUCH_CONTAINER = "no such container"
BEFORE_START = ("is already in use by", "saving container state", NO_SUCH_CONTAINER)  # errors of run before its start
KILLED = ("Killed", 137)


def exit_code(command: object, error: str) -> int:
    """Return the code of a command.

    >>> exit_code(Docker("rm", "web"), "it is running: container state improper"), exit_code(Docker("stop", "web"), "x")
    (2, 125)
    """
    code = said_code(error)
    if code is not None:
        return code
    verb = command.verb if isinstance(command, Docker) else ""
    if verb and error == KILLED[0]:
        return KILLED[1]
    lower = error.lower()
    if verb == "rm" and NO_SUCH_CONTAINER in lower:
        return 1
    if verb == "rm" and IMPROPER in lower:
        return 2
    missing = "not found" in lower or "no such file" in lower
    if verb == "exec" and NO_SUCH_CONTAINER not in lower:
        return NOT_FOUND if missing else NOT_INVOKED if "permission denied" in lower else REFUSED
    if verb == "run" and not any(words in error for words in BEFORE_START):
        return NOT_FOUND if missing else NOT_INVOKED
    return ERROR if verb else 1
