"""How a worker process begins: Ctrl-C is not for it, and it ends when the process that started it does.

A parent that is killed runs none of its own clean-up, so each worker watches for it: without that its workers would
wait for ever and hold its standard output open, and whoever reads that would hang. Leaves out what workers do.
Source: multiprocessing's documentation, `parent_process` and `Process.sentinel`; getppid(2).
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from threading import Thread

LOOK_S = 1.0


def begin_worker() -> None:
    """Leave Ctrl-C to the process that asked, and end with it, whatever ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None, "only a process that multiprocessing has started is a worker"
    Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: BaseProcess) -> None:
    """Wait until *parent* is gone, then kill this process.

    The sentinel tells at once, unless another child of the parent's holds its other end; getppid tells then.
    """
    while os.getppid() == parent.pid and not wait([parent.sentinel], LOOK_S):
        pass
    os.kill(os.getpid(), signal.SIGKILL)
