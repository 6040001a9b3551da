"""How the reasons of a fate read: how the process ended and by whom, and why it was started again or was not.

Where a rule stands its module's docstring says which file of the engine's source has it; that is quoted. Source: the
docstrings of the ops; `sim.engine.policies`.
"""

from __future__ import annotations

import re
import sys

from sim.engine.policies import wants_restart
from sim.engine.records import Container
from sim.engine.setup import Docker, Service, Step
from sim.engines.host.systemd.unit import unit_of
from sim.kernel.records import INIT, NO_POWER, Pid, code_of
from sim.trace import Trace
from sim.views.fate_causes import ENDING, Begun, End, Rule, procedures_module
from sim.views.fault import noun
from sim.world import World

TOLD = 2  # goroutines of one daemon that are named: the one that acts, and the one that wants it
CITED = re.compile(r"(?:\bv\d[\w.]* )?[\w./-]+\.(?:go|c|rs|md)\b(?: \d[\d, -]*)?|[\w.-]+\(\d\)")


def ended(trace: Trace, world: World, end: End) -> str:
    """Return how a process ended: its code, the signal and who sent it, the rule, and what people did."""
    if end.status == NO_POWER:
        return "it went with the power"
    how = f"exited {code_of(end.status)}"
    if end.signal:
        who = by(end.rules) or (f"{end.sender}" if end.sender else "")
        how += f" on {end.signal}" + (f" from {who}" if who else "")
    elif end.rules:
        how += f" in {by(end.rules)}"
    if end.step is not None:
        how += f" after {noun(end.step.command, world.design)}"
    elif not end.signal:
        how += " by itself"
    return how + in_brackets(sources_of(trace, end.rules))


def by(rules: tuple[Rule, ...]) -> str:
    """Return who decided: the daemon farthest from the process, its pid, what it was doing.

    >>> by((Rule("containerd", 9, "containerd.forward"), Rule("dockerd", 7, "dockerd.stop")))
    'dockerd 7 (stop)'
    """
    if not rules:
        return ""
    last = rules[-1]
    doing = [it.procedure.partition(".")[2].replace("_", " ") for it in rules if it.pid == last.pid][:TOLD]
    return f"{last.program} {last.pid} ({', '.join(reversed(doing))})"


def kept(world: World, payload: Pid) -> str:
    """Return who holds a process that runs on."""
    procs = world.host.procs
    holder = procs.get(procs[payload].ppid)
    if holder is None:
        return f"pid {payload} runs on"
    above = procs.get(holder.ppid)
    whose = f", child of {above.image.program} {above.pid}" if above is not None and holder.pid != INIT else ""
    return f"no signal reached it (pid {payload}), held by {holder.image.program} {holder.pid}{whose}"


def started(trace: Trace, world: World, service: Service, policy: str, begun: Begun) -> str:
    """Return who started a container again, and whether by its policy or because people asked."""
    who = by(begun.rules)
    how = f"{who} started it again" if who else "it was started again"
    asked = next((it for it in begun.steps if _asks_for(it, service.name)), None)
    if asked is not None:
        return f"{how}, as {noun(asked.command, world.design)} asks{in_brackets(sources_of(trace, begun.rules))}"
    if policy == "no":
        return f"{how}, though its policy is no{in_brackets(sources_of(trace, begun.rules))}"
    return f"{how} by policy {policy}{in_brackets(world.design.engine.policy_source)}"


def _asks_for(step: Step, container: str) -> bool:
    command = step.command
    return isinstance(command, Docker) and command.container == container and command.verb not in ENDING


def not_started(world: World, service: Service, record: Container | None, *, answers: bool) -> str:
    """Return why nobody starts a container again."""
    design = world.design
    policy = service.restart if record is None else record.policy
    rule = in_brackets(design.engine.policy_source)
    if not answers:
        return f"no {design.traits.engine} serves that could start it, and its unit is {unit_of(world).state}"
    if record is not None and record.error:
        return f"its start failed: {record.error}"
    if policy.name == "no":
        return f"policy no starts nothing again{rule}"
    if record is not None and policy.name == "on-failure" and not wants_restart(record, record.exit_code, False):
        most = f" at most {policy.max} times" if policy.max else ""
        return f"policy {policy.name} starts what failed{most}; the engine has exit code {record.exit_code}{rule}"
    if record is not None and record.manual:
        return f"its end counts as somebody's stop, which policy {policy.name} does not undo{rule}"
    return f"policy {policy.name} starts it, but nothing has asked the policy since{rule}"


# -- sources ----------------------------------------------------------------------------------------


def sources_of(trace: Trace, rules: tuple[Rule, ...]) -> str:
    """Return where the source has the rule that decided: of the daemon farthest from the process, the last one."""
    return source_in(getattr(sys.modules.get(procedures_module(trace, rules[-1])), "__doc__", "")) if rules else ""


def source_in(docstring: str | None) -> str:
    """Return the first file or manual page, with its lines, that the Source: of a docstring names.

    >>> source_in("Do it. Source: D daemon/stop.go 12-20, 31 (stop), daemon.go [K]; designs §1.1 [S].")
    'daemon/stop.go 12-20, 31'
    """
    found = CITED.search(" ".join((docstring or "").partition("Source:")[2].split()))
    return found.group().strip(" ,") if found else ""


def in_brackets(text: str) -> str:
    """Return a source behind a sentence, "" for none."""
    return f" ({text})" if text else ""
