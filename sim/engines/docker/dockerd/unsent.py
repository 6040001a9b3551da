"""docker stop and kill of 18.09 and 19.03: what cannot be sent to containerd is given up, as in 1.13.

An end is waited for 2 s; then a stop tries KILL, and is over with the error if that cannot be sent, either; so is a
kill. What was sent is waited for without a limit after the KILL past containerd. Of a task that is not found nothing is
done: a stop is over once that KILL finds no process, and the container counts as running still. Since 20.10.10 it is as
in `signals`. Source: moby v18.09.0 and v19.03.15 daemon/stop.go 43-90, kill.go 63-170, container_operations_unix.go
338-359; v20.10.9 likewise, v20.10.14 as v26.1.5.
"""

from __future__ import annotations

from sim.engine.ops import Do, Goto, Label, Lock, Return, Unlock, Wait
from sim.engine.procedure import procedure
from sim.engines.docker.dockerd.signals import begin_stop, kill_request, note_signal, send, until_killed
from sim.engines.docker.dockerd.stop import (
    KILL_REFUSED,
    STOP_REFUSED,
    killed,
    only_sent,
    say_stopped,
    stop_signals,
)
from sim.engines.docker.dockerd.waiting import stopped

SEND = send()
UNTIL_KILLED = until_killed(Wait(stopped))
UNTIL_STOPPED = (  # of one that counts as running still
    Label("until_stopped"),
    Wait(stopped),
    Goto("stopped"),
)

STOP = procedure(
    "dockerd.stop",
    stop_signals(begin_stop, note_signal, (*SEND, Label("sent"))),
    UNTIL_KILLED,
    Do(say_stopped, "until_stopped", "linger"),
    Return(),
    Label("over"),
    Unlock("container/{c}"),
    Return(),
    STOP_REFUSED,
    UNTIL_STOPPED,
    Label("linger"),
    Wait(stopped),
    Label("end"),
)

KILL = procedure(
    "dockerd.kill",
    Lock("container/{c}"),
    Do(kill_request, "over", "refused", "noted"),
    SEND,
    Do(only_sent, "end"),
    UNTIL_KILLED,
    Do(killed, "until_stopped"),
    Return(),
    Label("over"),
    Unlock("container/{c}"),
    Return(),
    KILL_REFUSED,
    UNTIL_STOPPED,
    Label("end"),
)
