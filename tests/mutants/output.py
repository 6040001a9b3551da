"""Faults in the log path: what stands where, who waits, what is lost. Source: engine-1.13 §6, §7.4, §10, §15."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

OWN = ("tests/engine/test_output.py",)

ROWS = (
    Mutant("shim leaves with output", "sim/engines/containerd/shim.py",
           'return not world.running(frame.fid[0], "shim.copy")', "return True",
           "A shim leaves although a copy still has bytes (§3.1 step 3, T10).", ("tests/test_transitions.py",)),
    Mutant("exit does not wait for stdio", "sim/engines/docker/dockerd/output.py",
           '    return not any(fid in world.frames for fid in _goroutines(world, frame, "copy"))', "    return True",
           "StateExit does not wait for the end of stdio (§15).", ("tests/test_transitions.py", *OWN)),
    Mutant("logger never closed", "sim/engines/docker/dockerd/output.py", "LOGGER_CLOSE = 10 * S",
           "LOGGER_CLOSE = 1000 * S",
           "A log copier that is stuck is waited for without end (§15).", OWN),
    Mutant("no discard", "sim/engines/docker/dockerd/output.py",
           "        if path in g.world.host.fifos:\n", "        if False and path in g.world.host.fifos:\n",
           "A restore does not read what waits in the fifos (§6 step 5).", OWN),
    Mutant("unlinked fifo is gone", "sim/kernel/fifos.py",
           "    if used and free is not None and", "    if False and free is not None and",
           "A fifo that is open loses its bytes with its name (§7.4).", (*OWN, "tests/test_transitions.py")),
    Mutant("bytes outlive the last end", "sim/kernel/ends.py",
           "fifo if fifo.readers or fifo.writers else replace(fifo, level=0)", "fifo",
           "What is in a fifo stays there when nobody holds an end (pipe(7)).", ("tests/kernel", *OWN)),
    Mutant("pipe holds all sizes", "sim/engines/host/output.py",
           "return PAGES * (PAGE // write) * write", "return PAGES * PAGE",
           "A pipe's depth does not depend on the size of writes [X].", OWN),
    Mutant("BytesPipe without bound", "sim/engines/host/output.py", "BYTES_PIPE = 1_000_000", "BYTES_PIPE = 10_000_000",
           "dockerd takes ten times as much before it blocks (§10).", OWN),
    Mutant("timers run while blocked", "sim/engines/host/payload.py",
           'Sleep("exits", leave_after), Wait(free_to_act), Exit(leave)', 'Sleep("exits", leave_after), Exit(leave)',
           "A program that waits in write(2) leaves by itself.", OWN),
    Mutant("journald stays dead", "sim/engines/host/journald.py", "    if state.stopped:\n", "    if True:\n",
           "A journald that dies by itself is not started again.", OWN),
    Mutant("files wait for journald", "sim/engines/host/output.py",
           '    if world.services[container].log_driver != "journald":\n        return True\n', "",
           "json-file and none block with journald.", OWN),
)  # fmt: skip
