"""Readers of the service keys that come in two forms, and of the ones that are taken only where they change nothing.

Models: `depends_on`, `labels` as a list or a mapping, volumes that have a name, `on_term`, `on`, `reaps`,
`closed(db:5432)`. Leaves out, by name: conditions of `depends_on`.
Source: Compose file reference.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from sim.engine.paths import STREAMS
from sim.engine.setup import MS, Answers, Healthcheck, Log, OnTerm, Volume
from sim.scenario import units
from sim.scenario.fields import boolean, part, signal, text, whole
from sim.scenario.known import LOG_DRIVERS, LOG_DRIVERS_LATER, not_modelled
from sim.scenario.words import Refusal, did_you_mean, listed, shown

T = TypeVar("T")
CLOSED = re.compile(r"closed\((?P<container>[^():]+):(?P<port>[0-9]{1,5})\)\Z", re.ASCII)
exit_code = whole(0, 255, "an exit code")


ANSWERS = {"ignore": "ignore", "reload": "reload", "default": "none", "none": "none"}
EXIT = re.compile(r"exit(?:\s+(?P<code>[0-9]{1,3}))?(?:\s+after\s+(?P<after>\S.*))?\Z", re.ASCII)


def on_term(value: object) -> OnTerm:
    """Take what a program does with its stop signal."""
    return answer(value, "the stop signal")


def answer(value: object, signal: str) -> OnTerm:
    """Take what a program does with a signal.

    ignore (SIG_IGN), reload (a handler that goes on), default or none (no handler), `exit 3 after 2s` or
    `{exit: 3, after: 2s}` (a handler that leaves).
    """
    if isinstance(value, str):
        if value in ANSWERS:
            return OnTerm(ANSWERS[value], 0, 0)
        match = EXIT.match(value)
        if match:
            parts = match.groupdict()
            value = {"exit": int(parts["code"] or 0), **({"after": parts["after"]} if parts["after"] else {})}
    if not isinstance(value, dict):
        words = (*ANSWERS, "exit")
        what = f"{shown(value)} is not an answer to {signal}; valid: {listed(words[:3])}, {{exit: 3, after: 2s}}."
        raise Refusal(what, did_you_mean(value, words) if isinstance(value, str) else "")
    for key in value:
        if key not in ("exit", "after"):
            raise Refusal("unknown key.", did_you_mean(key, ("exit", "after")) or "Valid: exit, after.", (key,))
    code = below("exit", lambda: exit_code(value.get("exit", 0)))
    after = below("after", lambda: units.duration(value.get("after", "100ms")))
    return OnTerm("exit", code, after if "after" in value else 100 * MS)


UNANSWERED = {
    "KILL": ("no program can handle or ignore KILL: it ends whom it reaches (signal(7)).", ""),
    "STOP": ("no program can handle or ignore STOP: it stops whom it reaches (signal(7)).", ""),
    "CHLD": ("a program's answer to CHLD is to wait for its child.", "Write reaps: true, 2s or never."),
}


def on(value: object) -> Answers:
    """Take `{TERM: exit 3 after 2s, SIGHUP: reload, QUIT: ignore}`; a signal that is not named has its default."""
    if not isinstance(value, dict):
        raise Refusal(f"{shown(value)} is not a mapping of signals.", "Write {HUP: reload, QUIT: exit 3 after 2s}.")
    found: dict[str, OnTerm] = {}
    for key, how in value.items():
        try:
            name = signal(key)
        except Refusal as refusal:
            raise Refusal(refusal.what, refusal.hint, (key,), of_key=True) from None
        if name in UNANSWERED:
            raise Refusal(*UNANSWERED[name], (key,), of_key=True)
        if name in found:
            raise Refusal(f"says {name} a second time.", "One of them is enough.", (key,), of_key=True)
        found[name] = below(key, partial(answer, how, name))
    return tuple(found.items())


def reaps(value: object) -> bool | int:
    """Take true, never (or false), or how long a child that has ended stays a zombie."""
    if isinstance(value, bool):
        return value
    if value == "never":
        return False
    try:
        return units.duration(value) or True
    except Refusal as refusal:
        what = f"{shown(value)} does not say when children are waited for; valid: true, never, 2s."
        raise Refusal(what, did_you_mean(str(value), ("never", "true")) or refusal.hint) from None


LOG_KEYS = ("stdout", "stderr", "write")
write_size = whole(1, 4096, "a size of a write in bytes")


def log(value: object) -> tuple[Log, ...]:
    """Take `20KB/s` for stdout, or `{stdout: 20KB/s, stderr: 1KB/s, write: 100}`, *write* in bytes a write(2)."""
    if not isinstance(value, dict):
        return (Log("stdout", rate_of(value)),)
    for key in value:
        if key not in LOG_KEYS:
            raise Refusal("unknown key.", did_you_mean(key, LOG_KEYS) or f"Valid: {listed(LOG_KEYS)}.", (key,))
    size = below("write", lambda: write_size(value.get("write", 4096)))
    streams = [stream for stream in LOG_KEYS[:2] if stream in value]
    if not streams:
        raise Refusal("names no stream.", "Write {stdout: 20KB/s}.")
    return tuple(Log(stream, below(stream, lambda at=stream: rate_of(value[at])), size) for stream in streams)  # type: ignore[misc]


def rate_of(value: object) -> int:
    """Take a rate that is not zero."""
    found = units.rate(value)
    if not found:
        raise Refusal(f"{shown(value)} prints nothing.", "Leave the key out.")
    return found


def log_driver(value: object) -> str:
    """Take the name of a log driver; whether it is modelled matters only for what a container prints."""
    name = text(value)
    if name not in (*LOG_DRIVERS, *LOG_DRIVERS_LATER):
        hint = did_you_mean(name, (*LOG_DRIVERS, *LOG_DRIVERS_LATER)) or f"Modelled: {listed(LOG_DRIVERS)}."
        raise Refusal(f"{shown(name)} is not a log driver.", hint)
    return name


def logging(value: object) -> str | None:
    """Take Compose's `{driver: json-file, options: {...}}`; options have no effect on processes."""
    if not isinstance(value, dict):
        raise Refusal(f"{shown(value)} is not a mapping.", "Write logging: {driver: json-file}.")
    for key in value:
        if key not in ("driver", "options"):
            raise Refusal("unknown key.", did_you_mean(key, ("driver", "options")) or "Valid: driver, options.", (key,))
    if "driver" not in value:
        return None
    try:
        return log_driver(value["driver"])
    except Refusal as refusal:
        raise Refusal(refusal.what, refusal.hint, ("driver",)) from None


def driver_of_printing(name: str) -> None:
    """Refuse a log driver that is not modelled, for a container that prints."""
    if name in LOG_DRIVERS_LATER:
        what = not_modelled(f"x-payload.log with the log driver {name}", "it may block as its server does")
        raise Refusal(what, f"Modelled: {listed(LOG_DRIVERS)}.")


CHECK_TIMES = ("interval", "timeout", "start_period", "start_interval")
CHECK_KEYS = ("test", *CHECK_TIMES, "retries", "disable")


def healthcheck(value: object) -> Healthcheck | None:
    """Take Compose's health check; `disable: true` and `test: NONE` are none. A time of 0 is the default."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise Refusal(f"{shown(value)} is not a health check.", "Write {test: curl -f localhost, interval: 30s}.")
    for key in value:
        if key not in CHECK_KEYS:
            hint = did_you_mean(key, CHECK_KEYS) or f"Valid: {', '.join(CHECK_KEYS)}."
            raise Refusal("unknown key.", hint, (key,))
    if "disable" in value and below("disable", lambda: boolean(value["disable"])):
        return None
    if "test" not in value:
        raise Refusal("needs test: what the image says is not in the file.")
    argv = below("test", lambda: check_words(value["test"]))
    said = {key: below(key, partial(units.duration, value[key])) for key in CHECK_TIMES if key in value}
    said["retries"] = below("retries", lambda: whole(0, 1_000_000, "a number of tries")(value.get("retries", 0)))
    return Healthcheck(argv, **{key: number for key, number in said.items() if number}) if argv else None


def check_words(test: object) -> tuple[str, ...]:
    """Take `[CMD, curl, ...]`, `[CMD-SHELL, "curl ..."]` or text for a shell; NONE is no words."""
    if not isinstance(test, list):
        return () if test == "NONE" else ("/bin/sh", "-c", text(test))
    parts = tuple(part(item, place) for place, item in enumerate(test))
    if parts == ("NONE",):
        return ()
    if parts[:1] == ("CMD",) and len(parts) > 1:
        return parts[1:]
    if parts[:1] == ("CMD-SHELL",) and len(parts) == 2:
        return ("/bin/sh", "-c", parts[1])
    raise Refusal(f"{shown(test)} is not a test.", "Write [CMD, curl, -f, localhost], [CMD-SHELL, TEXT] or [NONE].")


def below(key: str, read: Callable[[], T]) -> T:
    """Read a part of a mapping; a refusal says which part."""
    try:
        return read()
    except Refusal as refusal:
        raise Refusal(refusal.what, refusal.hint, (key, *refusal.below)) from None


def closed_port(value: object) -> tuple[str, int]:
    """Take `closed(db:5432)`."""
    match = CLOSED.match(value) if isinstance(value, str) else None
    if not match or not 0 < int(match["port"]) < 65536:
        raise Refusal(f"{shown(value)} is not a condition.", "Write it like closed(db:5432).")
    return match["container"], int(match["port"])


def depends_on(value: object) -> tuple[str, ...]:
    """Take the services that `compose up` starts first."""
    if not isinstance(value, list | dict):
        raise Refusal(f"{shown(value)} is not a list of services.")
    for name, options in value.items() if isinstance(value, dict) else ():
        condition = options.get("condition", "service_started") if isinstance(options, dict) else "service_started"
        if condition != "service_started":
            raise Refusal(
                f"depends_on with condition {shown(condition)} is not modelled yet.", below=(name, "condition")
            )
    return tuple(part(item, place) for place, item in enumerate(value))


def labels(value: object) -> tuple[tuple[str, str], ...]:
    """Take `{a: b}` or `[a=b]`; in the order of their names, as events print them."""
    if isinstance(value, dict):
        pairs = {key: "" if item is None else text_of(item) for key, item in value.items()}
    elif isinstance(value, list):
        pairs = dict(split_label(part(item, place)) for place, item in enumerate(value))
    else:
        raise Refusal(f"{shown(value)} is not a list of labels.")
    return tuple(sorted(pairs.items()))


VOLUME_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*\Z")


def volumes(value: object) -> tuple[Volume, ...]:
    """Take the named volumes of a list, as `data:/var/lib:ro` or a mapping; folders of the host say nothing."""
    if not isinstance(value, list):
        raise Refusal(f"{shown(value)} is not a list of volumes.", "Write [data:/var/lib/data].")
    return tuple(found for place, item in enumerate(value) if (found := volume(item, place)) is not None)


def volume(item: object, place: int) -> Volume | None:
    """Return a volume that has a name."""
    if isinstance(item, dict):
        source, target = str(item.get("source", "")), str(item.get("target", ""))
        named = item.get("type", "volume") == "volume" and target and VOLUME_NAME.match(source)
        return Volume(source, target, item.get("read_only") is True) if named else None
    source, _, rest = part(item, place).partition(":")
    target, _, mode = rest.partition(":")
    return Volume(source, target, "ro" in mode.split(",")) if target and VOLUME_NAME.match(source) else None


def text_of(value: object) -> str:
    """Return a label's value as Compose prints it."""
    return str(value).lower() if isinstance(value, bool) else text(value)


def split_label(item: str) -> tuple[str, str]:
    """Return key and value of `key=value`."""
    key, _, value = item.partition("=")
    return key, value


def written(value: object) -> tuple[tuple[str, int], ...]:
    """Take `{init-stderr: 2020-12-14T10:27:00+08:00}`: when fifos of the bundle folder were written last."""
    if not isinstance(value, dict):
        raise Refusal(f"{shown(value)} is not a mapping of fifos.", "Write {init-stderr: 2020-12-14T10:27:00+08:00}.")
    found = []
    for name, moment in value.items():
        if name not in STREAMS:
            raise Refusal("no such fifo.", did_you_mean(name, STREAMS) or f"Valid: {', '.join(STREAMS)}.", (name,))
        found.append((name, below(name, partial(_with_offset, moment))))
    return tuple(found)


def _with_offset(value: object) -> int:
    clock = units.wall_clock(value)
    if not str(value).endswith("Z") and str(value)[-6:-5] not in ("+", "-"):
        raise Refusal(f"{shown(value)} has no offset from UTC.", "Write it like 2020-12-14T10:27:00+08:00.")
    if clock.micros % 1_000_000:
        raise Refusal(f"{shown(value)} has a part of a second.", "A listing shows minutes.")
    return clock.micros // 1_000_000
