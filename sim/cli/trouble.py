"""What went wrong, in words, and the exit status that it means."""

from __future__ import annotations

import errno
import os
import sys

from sim.cli import FAULT, INTERRUPTED, WRONG
from sim.errors import InputError

HINTS = {
    errno.ENOSPC: "The disk is full. Free some space, or write elsewhere with -o.",
    errno.EACCES: "No right to write there. Choose another folder with -o, or --no-save.",
    errno.EROFS: "The file system is read-only. Choose another folder with -o, or --no-save.",
    errno.EPERM: "Not permitted. Choose another folder with -o, or --no-save.",
}


def explain(trouble: BaseException) -> int:
    """Say on stderr what went wrong, and return the exit status."""
    if isinstance(trouble, SystemExit):
        return trouble.code if isinstance(trouble.code, int) else WRONG
    if isinstance(trouble, KeyboardInterrupt):
        return _say("interrupted", INTERRUPTED)
    if isinstance(trouble, BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAULT
    if isinstance(trouble, InputError):
        return _say(str(trouble), WRONG)
    if isinstance(trouble, OSError):
        place = f"{trouble.filename}: " if trouble.filename else ""
        hint = HINTS.get(trouble.errno or 0, "")
        return _say(f"{place}{trouble.strerror or trouble}. {hint}".strip(), FAULT)
    if os.environ.get("SHIMSIM_TRACEBACK"):
        raise trouble
    name = type(trouble).__name__
    where = _where(trouble)
    report = "Please report it with the scenario and the seed."
    return _say(f"a fault in the model ({name}{where}): {trouble}\n{report}", FAULT)


def _where(trouble: BaseException) -> str:
    last = trouble.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    if last is None:
        return ""
    return f" at {os.path.basename(last.tb_frame.f_code.co_filename)}:{last.tb_lineno}"


def _say(text: str, status: int) -> int:
    from sim.render.clean import printable_lines

    print(printable_lines(f"shimsim: {text}" if status != WRONG else text), file=sys.stderr)
    return status
