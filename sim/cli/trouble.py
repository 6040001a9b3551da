"""What went wrong, in words, and the exit status that it means.

SHIMULATOR_TRACEBACK=1 shows the traceback of a fault.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence

from sim.cli.status import FAULT, INTERRUPTED, NOBODY_READS, UNDETERMINED, WRONG

HINTS = {
    errno.ENOSPC: "The disk is full: free some space, or write elsewhere with -o",
    errno.EDQUOT: "Your share of the disk is full: free some space, or write elsewhere with -o",
    errno.EACCES: "No right to write there: choose another folder with -o, or --no-save",
    errno.EROFS: "The file system is read-only: choose another folder with -o, or --no-save",
    errno.EPERM: "Not permitted: choose another folder with -o, or --no-save",
}
SETTING = "--set engine.profile: "
NO_NUMBERS = (
    "What a host without free numbers does is not modelled. "
    "Raise host.pid_max, shorten host.uptime, or let children end and be waited for."
)
REPORT = "Please report it with the scenario and the seed; SHIMULATOR_TRACEBACK=1 shows where."

TAKE_OUTPUTS = (["diff"], ["init"])  # commands to which what a host prints is no mistake


def explain(trouble: BaseException, words: Sequence[str] = ()) -> int:
    """Say on stderr what went wrong, and return the exit status; *words* are those of the command line."""
    if isinstance(trouble, SystemExit):
        return trouble.code if isinstance(trouble.code, int) else WRONG
    if isinstance(trouble, KeyboardInterrupt):
        return _say("shimulator: interrupted", INTERRUPTED)
    if isinstance(trouble, BrokenPipeError):
        _forget_stdout()
        return NOBODY_READS
    from sim.errors import InputError

    if isinstance(trouble, InputError):
        from sim.cli.foreign import told

        problems = trouble.problems if words[:1] in TAKE_OUTPUTS else told(trouble.problems)
        return _say("\n".join(_as_typed(str(problem), words) for problem in problems), WRONG)
    if isinstance(trouble, OSError):
        _forget_stdout()
        return _say(f"shimulator: {machine(trouble)}", FAULT)
    if isinstance(trouble, MemoryError):
        return _say("shimulator: the memory is full. Fewer --seeds, containers or a shorter run need less.", FAULT)
    words, hint, status = cut_short(trouble)
    return _say(f"shimulator: {words}\n{hint}", status)


def cut_short(trouble: BaseException) -> tuple[str, str, int]:
    """Return why the model could not go on, what to do about it, and the exit status."""
    from sim.kernel.ids import OutOfIds

    if isinstance(trouble, OutOfIds) and not os.environ.get("SHIMULATOR_TRACEBACK"):
        return f"the host has no process number left: {trouble}", NO_NUMBERS, UNDETERMINED
    return model(trouble), REPORT, FAULT


def _as_typed(problem: str, words: Sequence[str]) -> str:
    """Return a problem under the name of the option that was typed: --profile is short for a setting."""
    if any(word.partition("=")[0] == "--profile" for word in words) and problem.startswith(SETTING):
        return f"--profile: {problem.removeprefix(SETTING).removeprefix('engine.profile: ')}"
    return problem


def machine(trouble: OSError) -> str:
    """Say what the machine refused, where, and what to do."""
    place = f"{trouble.filename}: " if trouble.filename else ""
    hint = HINTS.get(trouble.errno or 0, "")
    return f"{place}{trouble.strerror or trouble}." + (f" {hint}." if hint else "")


def model(trouble: BaseException) -> str:
    """Say what the model could not do; what it says itself names program, pid, procedure, op and what came."""
    if os.environ.get("SHIMULATOR_TRACEBACK"):
        raise trouble
    from sim.engine.goroutine import ModelFault

    notes = "".join(f" ({text})" for text in getattr(trouble, "__notes__", ()))
    if isinstance(trouble, ModelFault):
        return f"a fault in the model: {trouble}{notes}"
    return f"a fault in the model ({type(trouble).__name__}{_where(trouble)}): {trouble}{notes}"


def _where(trouble: BaseException) -> str:
    last = trouble.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    if last is None:
        return ""
    return f" at {os.path.basename(last.tb_frame.f_code.co_filename)}:{last.tb_lineno}"


def _forget_stdout() -> None:
    """Let what stdout could not take go nowhere, so that Python does not complain of it once more at its end."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError, AttributeError):
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except (OSError, ValueError, AttributeError):
            pass


def _say(text: str, status: int) -> int:
    from sim.cli.out import note

    try:
        note(text)
    except OSError:
        pass  # nobody can be told; the status says it
    return status
