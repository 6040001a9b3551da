"""Units as Go, systemd and Docker write them: durations, sizes, rates, ranges, wall-clock times.

Durations become whole microseconds, sizes and rates bytes. Left out: months and years (their length varies), negative
durations (an offset has its own sign), time zones by name. Source: Go time.ParseDuration, systemd.time(7), go-units.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_HALF_EVEN, Decimal

import msgspec

from sim.scenario.words import Refusal, shown

MICROSECONDS: dict[str, Decimal] = {
    name: Decimal(size)
    for names, size in (
        ("ns nsec", "0.001"),
        ("us µs μs usec", "1"),
        ("ms msec", "1000"),
        ("s sec second seconds", "1000000"),
        ("m min minute minutes", "60000000"),
        ("h hr hour hours", "3600000000"),
        ("d day days", "86400000000"),
        ("w week weeks", "604800000000"),
    )
    for name in names.split()
}
MAX_DURATION = 100 * 366 * 86_400_000_000
PART = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,12})?) ?([a-zµμ]+)", re.ASCII)
DURATION = re.compile(rf"(?:{PART.pattern})(?: ?{PART.pattern})*\Z")
EXAMPLES = "Write it like 200ms, 1.5s, 1h30m or 10d."


def duration(value: object) -> int:
    """Return *value* (`1h30m`, `10d`, `1.5s`) in µs; `0` needs no unit. Raises Refusal."""
    if is_zero(value):
        return 0
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise Refusal(f"{value} has no unit.", f"Write {value}s, {value}ms or {value}m.")
    if not isinstance(value, str) or not DURATION.match(value):
        raise Refusal(f"{shown(value)} is not a duration.", EXAMPLES)
    total = Decimal(0)
    for number, unit in PART.findall(value):
        if unit not in MICROSECONDS:
            raise Refusal(f"{shown(value)} is not a duration: no unit {shown(unit)}.", EXAMPLES)
        total += Decimal(number) * MICROSECONDS[unit]
    micros = int(total.to_integral_value(ROUND_HALF_EVEN))
    if micros > MAX_DURATION:
        raise Refusal(f"{shown(value)} is longer than 100 years.", "Nothing changes that late.")
    return micros


def is_zero(value: object) -> bool:
    """Say whether *value* is the number 0, which needs no unit."""
    return (type(value) is int and value == 0) or value == "0"


def systemd_duration(value: object) -> int:
    """Return a unit file's duration in µs: a bare number is seconds, `infinity` is 0 (systemd.time(7))."""
    if value == "infinity":
        return 0
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return duration(f"{value}s")
    return duration(value)


def format_duration(micros: int) -> str:
    """Return the shortest text that `duration` reads back as *micros*."""
    if micros == 0:
        return "0s"
    if micros < 1_000:
        return f"{micros}us"
    if micros < 1_000_000:
        return f"{decimal(micros, 1_000)}ms"
    text, rest = "", micros
    for unit, size in (("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000)):
        if rest >= size:
            text += f"{rest // size}{unit}"
            rest %= size
    return text + (f"{decimal(rest, 1_000_000)}s" if rest else "")


def decimal(number: int, unit: int) -> str:
    """Return *number* / *unit* (a power of ten) without trailing zeros."""
    whole, part = divmod(number, unit)
    digits = str(part).zfill(len(str(unit)) - 1).rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)


# -- sizes, rates, ranges --------------------------------------------------------------------------

SIZES = {
    "": 1, "B": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3,
    "KB": 1000, "kB": 1000, "MB": 1000**2, "GB": 1000**3,
}  # fmt: skip
SIZE = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?) ?([A-Za-z]*)\Z", re.ASCII)
RANGE = re.compile(r"([0-9]{1,9})?\.\.([0-9]{1,9})?\Z", re.ASCII)
NUMBER = re.compile(r"[0-9]{1,9}\Z", re.ASCII)


def size(value: object) -> int:
    """Return *value* (`64KiB`, `20KB`, `512`) in bytes. Raises Refusal."""
    match = SIZE.match(str(value)) if isinstance(value, str | int) and not isinstance(value, bool) else None
    if not match or match[2] not in SIZES:
        raise Refusal(f"{shown(value)} is not a size.", "Write it like 512, 20KB (1000 bytes each) or 64KiB (1024).")
    return int(Decimal(match[1]) * SIZES[match[2]])


MEMORY = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?) ?([kmgtp]?)i?b?\Z", re.ASCII | re.IGNORECASE)


def memory(value: object) -> int:
    """Return *value* (`300m`, `1.5g`) in bytes as docker reads memory: each letter is 1024. Raises Refusal."""
    match = MEMORY.match(str(value)) if isinstance(value, str | int) and not isinstance(value, bool) else None
    if not match:
        raise Refusal(f"{shown(value)} is not an amount of memory.", "Write it like 300m or 1.5g (1024 each).")
    return int(Decimal(match[1]) * 1024 ** " kmgtp".index(match[2].lower() or " "))


def rate(value: object) -> int:
    """Return *value* (`20KB/s`) in bytes per second. Raises Refusal."""
    if isinstance(value, str) and value.endswith("/s"):
        return size(value.removesuffix("/s"))
    raise Refusal(f"{shown(value)} is not a rate.", "Write it like 20KB/s.")


class Range(msgspec.Struct, frozen=True):
    """Whole numbers from *low* to *high*, both in; *high* None is without end."""

    low: int
    high: int | None

    def __contains__(self, number: int) -> bool:
        return self.low <= number and (self.high is None or number <= self.high)

    def __str__(self) -> str:
        if self.low == self.high:
            return str(self.low)
        return f"{self.low}..{'' if self.high is None else self.high}"


def parse_range(value: object) -> Range:
    """Return *value* (`3`, `6..9`, `3..`, `..9`) as a Range. Raises Refusal."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return Range(value, value)
    if isinstance(value, str) and NUMBER.match(value):
        return Range(int(value), int(value))
    match = RANGE.match(value) if isinstance(value, str) else None
    if not match or not (match[1] or match[2]):
        raise Refusal(f"{shown(value)} is not a number or a range.", "Write it like 3 or 6..9.")
    low, high = int(match[1] or 0), int(match[2]) if match[2] else None
    if high is not None and low > high:
        raise Refusal(f"{shown(value)} is empty.", f"Write {high}..{low}.")
    return Range(low, high)


def code_range(value: object) -> Range:
    """Return *value* as a Range of exit codes; -1 is podman's of a container whose end nobody saw. Raises Refusal."""
    return Range(-1, -1) if value in (-1, "-1") else parse_range(value)


def size_range(value: object) -> Range:
    """Return *value* (`160KiB`, `0`, `1MB..1.2MB`, `1..`) as a Range of bytes. Raises Refusal."""
    low, dots, high = value.partition("..") if isinstance(value, str) else (value, "", "")
    if not dots:
        return parse_range(size(low))
    return parse_range(f"{size(low) if low else ''}..{size(high) if high else ''}")


# -- wall-clock times ------------------------------------------------------------------------------

CLOCK = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[ T]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(\.[0-9]{1,6})?)?"
    r"(Z|[+-][0-9]{2}:?[0-9]{2})?\Z",
    re.ASCII,
)
CLOCK_EXAMPLE = "Write it like 2020-12-03T09:46:58+08:00."
UNIX_START = datetime(1970, 1, 1, tzinfo=UTC)


class WallClock(msgspec.Struct, frozen=True):
    """A wall-clock time: µs since 1970 in UTC and the offset of its zone in minutes."""

    micros: int
    tz_minutes: int


def looks_like_clock(text: str) -> bool:
    """Say whether *text* begins as a date does."""
    return bool(re.match(r"[0-9]{4}-[0-9]", text))


def wall_clock(value: object, tz_minutes: int = 0) -> WallClock:
    """Return *value* as a wall-clock time; without an offset it is in the zone *tz_minutes*. Raises Refusal."""
    match = CLOCK.match(value) if isinstance(value, str) else None
    if not match:
        raise Refusal(f"{shown(value)} is not a date and time.", CLOCK_EXAMPLE)
    zone = offset_minutes(match[8], tz_minutes)
    try:
        fields = [int(match[i] or 0) for i in range(1, 7)]
        micros = int((match[7] or ".0")[1:].ljust(6, "0"))
        moment = datetime(*fields[:6], micros, tzinfo=timezone(timedelta(minutes=zone)))  # type: ignore[misc,arg-type]
        return WallClock((moment - UNIX_START) // timedelta(microseconds=1), zone)
    except (ValueError, OverflowError):
        raise Refusal(f"{shown(value)} is not a date and time that exists.", CLOCK_EXAMPLE) from None


def offset_minutes(text: str | None, otherwise: int) -> int:
    """Return a zone offset such as `+08:00` in minutes."""
    if text is None:
        return otherwise
    if text == "Z":
        return 0
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    return -minutes if text[0] == "-" else minutes


def format_clock(epoch: int, tz_minutes: int) -> str:
    """Return unix time *epoch* (seconds) as `wall_clock` reads it."""
    zone = timezone(timedelta(minutes=tz_minutes))
    return datetime.fromtimestamp(epoch, zone).isoformat(timespec="seconds")
