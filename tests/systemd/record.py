"""Run the stories on the systemd that is installed, and keep what it did: `python -m tests.systemd.record [STORY...]`.

It takes root, util-linux and a cgroup2 file system; the systemd of the host is not touched. Each story is told several
times, many at once, and becomes a golden row if it went the same way each time: the states of each unit in order, the
answers of systemctl, what is left in the control groups. Times are medians. Source: none.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import yaml

from tests.systemd.namespace import CannotRun, Namespace
from tests.systemd.stories import CHILD, DEFAULTS, LEAVES, MAIN, NOTIFIES, PROGRAMS, STORIES, Act, S, Told, span

GOLDEN = Path(__file__).with_name("golden.yaml")
TIMES, AT_ONCE = 3, 8
AGREES_WITHIN = 20  # looks
LATE = 15.0  # seconds after which a systemctl that does not answer is given up
IN_UNIT = ("Wants", "Requires", "BindsTo", "After", "StartLimitBurst", "StartLimitIntervalSec")
CHANGED = re.compile(r"<\d+>systemd\[1\]: (\S+)\.service: Changed (\S+) -> (\S+)\Z")
FAILED = re.compile(r"<\d+>systemd\[1\]: (\S+)\.service: Failed with result '(\S+)'\.\Z")
ACTIVE = {  # service.c state_translation_table, by sub state
    "inactive": ("dead", "dead-before-auto-restart", "dead-resources-pinned"),
    "activating": ("condition", "start-pre", "start", "start-post", "auto-restart", "auto-restart-queued"),
    "active": ("running", "exited"),
    "reloading": ("reload", "reload-signal", "reload-notify", "reload-post"),
    "deactivating": ("stop", "stop-watchdog", "stop-sigterm", "stop-sigkill", "stop-post", "final-watchdog",
                     "final-sigterm", "final-sigkill"),
    "failed": ("failed", "failed-before-auto-restart"),
}  # fmt: skip
ACTIVE_OF = {sub: active for active, subs in ACTIVE.items() for sub in subs}
HEAD = """\
# What a real systemd did with the stories of stories.py. Written by `python -m tests.systemd.record`; each was told
# {times} times and went the same way each time. Times are in seconds from the story's begin (medians). `seen` are the
# states of each unit in order: [when, ActiveState, SubState, and Result where systemd logs one]. `order` has those of
# both units in one, or nothing where it was not the same each time. `ends` are Result and NRestarts of `systemctl show`
# at the end, `left` is what then lives in the unit's control group: main and child are the processes of its program.
"""


def unit_file(story: str, keys: dict[str, str]) -> str:
    """Return a unit file; the names of other units get the story's before them."""
    given = {**DEFAULTS, **keys}
    program = given.pop("program")
    unit = ["[Unit]", "DefaultDependencies=no"]
    service = ["[Service]", f"ExecStart={PROGRAMS[program]}"]
    if program in NOTIFIES:
        service += ["Type=notify", "NotifyAccess=all"]
    for key, value in given.items():
        if key == "ExecReload":
            service.append(f"ExecReload=/bin/{value} $MAINPID")
        elif key in ("ExecStop", "ExecStopPost"):
            service.append(f"{key}={LEAVES.get(value) or f'/bin/sleep {span(value) / S}'}")
        elif key in ("Wants", "Requires", "BindsTo", "After"):
            unit.append(f"{key}={story}-{value}")
        else:
            (unit if key in IN_UNIT else service).append(f"{key}={value}")
    return "\n".join((*unit, *service)) + "\n"


class Telling:
    """One story that is told once. Its units have its name, and which time this is, before theirs."""

    def __init__(self, told: Told, number: int) -> None:
        self.told, self.prefix = told, f"{told.name}-{number}"
        self.files = {f"{self.prefix}-{unit}.service": unit_file(self.prefix, it) for unit, it in told.units.items()}

    def tell(self, there: Namespace) -> dict[str, Any]:
        """Do what the story says at its times, and return what was seen."""
        begin = time.monotonic()
        with ThreadPoolExecutor(len(self.told.acts)) as waits:
            acts = []
            for act in self.told.acts:
                time.sleep(max(0.0, begin + act.at - time.monotonic()))
                acts.append(waits.submit(self._answer, act, time.monotonic(), self._begin(there, act)))
            time.sleep(max(0.0, begin + self.told.until - time.monotonic()))
        return {"acts": [it.result() for it in acts], **self._looks(there, begin)}

    def _begin(self, there: Namespace, act: Act) -> subprocess.Popen[str]:
        unit = f"{self.prefix}-{act.unit}.service"
        if act.does.endswith(" main"):
            main = there.show(unit, "MainPID")["MainPID"]
            return there.begin(*act.does.split()[:2], main)
        return there.begin("systemctl", *act.does.split(), unit)

    def _answer(self, act: Act, begun: float, process: subprocess.Popen[str]) -> dict[str, Any]:
        try:
            out, err = process.communicate(timeout=LATE)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = "", "no answer"
        text = " ".join((out + err).replace(f"{self.prefix}-", "").split())
        took = round(time.monotonic() - begun, 2)
        return {"at": act.at, "does": act.does, "unit": act.unit, "status": process.returncode, "says": text,
                "took": took}  # fmt: skip

    def _looks(self, there: Namespace, begin: float) -> dict[str, Any]:
        seen, ends, left = {}, {}, {}
        order: list[tuple[int, str, str]] = []
        for unit in self.told.units:
            full = f"{self.prefix}-{unit}"
            states, ends[unit] = _agreed(there, full)
            seen[unit] = [[round(at - begin, 2), *rest] for _, at, *rest in states]
            order += [(number, unit, sub) for number, _, _, sub, *_ in states]
            left[unit] = sorted(filter(None, map(_who, there.processes(f"{full}.service"))))
        return {"seen": seen, "order": [list(it[1:]) for it in sorted(order)], "ends": ends, "left": left}


def _who(words: str) -> str:
    """Return whether a process is the main one of a program or its child, "" for what a shell waits for."""
    words = words.removeprefix("/bin/")
    return "child" if words == CHILD else "main" if words == MAIN or words.startswith("sh ") else ""


def _agreed(there: Namespace, full: str) -> tuple[list[tuple[Any, ...]], dict[str, Any]]:
    """Return a unit's states, and what `systemctl show` says of it, once the log has come as far as that."""
    shown: dict[str, str] = {}
    for _ in range(AGREES_WITHIN):
        shown = there.show(f"{full}.service", "SubState", "Result", "NRestarts")
        states = list(_states(list(there.lines), full))
        if (states[-1][3] if states else "dead") == shown["SubState"]:
            return states, {"result": shown["Result"], "restarts": int(shown["NRestarts"])}
        time.sleep(0.02)
    raise RuntimeError(f"{full}: systemctl show says {shown}, and the log never came to that")


def _states(lines: list[Any], full: str) -> Iterator[tuple[Any, ...]]:
    result = ""
    for number, at, text in lines:
        if (failed := FAILED.match(text)) and failed[1] == full:
            result = failed[2]
        elif (changed := CHANGED.match(text)) and changed[1] == full:
            yield (number, at, ACTIVE_OF[changed[3]], changed[3], *([result] if result else ()))
            result = ""


def without_times(row: dict[str, Any]) -> Any:
    """Return what must be the same each time."""
    acts = [{**it, "took": 0} for it in row["acts"]]
    seen = {unit: [it[1:] for it in states] for unit, states in row["seen"].items()}
    return acts, seen, row["ends"], row["left"]


def golden(told: Told, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the row of a story that went the same way each time."""
    first = rows[0]
    acts = [
        {**it, "took": round(median(row["acts"][n]["took"] for row in rows), 1)} for n, it in enumerate(first["acts"])
    ]
    seen = {
        unit: [
            [round(median(row["seen"][unit][n][0] for row in rows), 1), *it[1:]]
            for n, it in enumerate(first["seen"][unit])
        ]
        for unit in first["seen"]
    }
    units = {unit: {**DEFAULTS, **keys} for unit, keys in told.units.items()}
    order = first["order"] if all(row["order"] == first["order"] for row in rows) else []
    return {"name": told.name, "units": units, "until": told.until, **first, "acts": acts, "seen": seen, "order": order}


def told_to_systemd(stories: list[Told]) -> tuple[str, dict[str, list[dict[str, Any]]]]:
    """Run stories, each several times; return systemd's version, and by story what was seen each time."""
    tellings = {told.name: [Telling(told, n) for n in range(TIMES)] for told in stories}
    files = {name: text for each in tellings.values() for it in each for name, text in it.files.items()}
    enabled = [name for each in tellings.values() for it in each if it.told.enabled for name in it.files]
    with Namespace(files) as there, ThreadPoolExecutor(AT_ONCE) as pool:
        there.enable(enabled)
        version = there.systemctl("--version").stdout.splitlines()[0]
        rows = {name: [pool.submit(it.tell, there) for it in each] for name, each in tellings.items()}
        return version, {name: [it.result() for it in each] for name, each in rows.items()}


def record(names: list[str]) -> str:
    """Return the golden file, with the rows of these stories anew, or without names all of them."""
    version, found = told_to_systemd([told for told in STORIES if told.name in names or not names])
    before: dict[str, Any] = (
        yaml.safe_load(GOLDEN.read_text(encoding="utf-8")) if names else {"systemd": version, "stories": []}
    )
    if before["systemd"] != version:
        raise CannotRun(f"the other rows are of {before['systemd']}, and this is {version}")
    rows = {row["name"]: row for row in before["stories"]}
    for told in STORIES:
        if told.name not in found:
            continue
        each = found[told.name]
        rows.pop(told.name, None)
        if all(without_times(it) == without_times(each[0]) for it in each):
            rows[told.name] = golden(told, each)
        else:
            print(f"not the same each time: {told.name}", *map(without_times, each), sep="\n  ", file=sys.stderr)
    return written(version, [rows[told.name] for told in STORIES if told.name in rows])


def written(version: str, rows: list[dict[str, Any]]) -> str:
    """Return the text of the golden file."""
    there = {row["name"] for row in rows}
    head = {
        "systemd": version,
        "times": TIMES,
        "unsteady": [told.name for told in STORIES if told.name not in there],
        "notify": list(NOTIFIES),
        "programs": dict(PROGRAMS),
    }
    return HEAD.format(times=TIMES) + _dumped(head) + "stories:\n" + "".join(map(_row, rows))


def _dumped(value: Any) -> str:
    return yaml.safe_dump(value, sort_keys=False, width=1000, allow_unicode=True)


def _flow(value: Any) -> str:
    return yaml.safe_dump(value, sort_keys=False, default_flow_style=True, width=10_000, allow_unicode=True).strip()


def _row(row: dict[str, Any]) -> str:
    lines = [f"- name: {row['name']}", f"  until: {row['until']}", "  units:"]
    lines += [f"    {unit}: {_flow(keys)}" for unit, keys in row["units"].items()]
    lines += ["  acts:", *(f"  - {_flow(act)}" for act in row["acts"]), "  seen:"]
    lines += [f"    {unit}: {_flow(states)}" for unit, states in row["seen"].items()]
    if len(row["units"]) > 1:
        lines.append(f"  order: {_flow(row['order'])}")
    lines += [f"  ends: {_flow(row['ends'])}", f"  left: {_flow(row['left'])}"]
    return "\n".join(lines) + "\n"


def main(names: list[str]) -> int:
    """Write the golden file; *names* are of the stories that are told anew, none for all."""
    unknown = set(names) - {told.name for told in STORIES}
    if unknown:
        print(f"There is no story {', '.join(sorted(unknown))}; see stories.py.", file=sys.stderr)
        return 2
    try:
        text = record(names)
    except CannotRun as why:
        print(f"The stories cannot be told to a systemd here: {why}.", file=sys.stderr)
        return 1
    GOLDEN.write_text(text, encoding="utf-8")
    print(f"{GOLDEN.name}: {text.count('- name: ')} stories")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
