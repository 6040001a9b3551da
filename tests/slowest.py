"""How much CPU time each test takes, with its fixtures and the processes that it has waited for; the slowest are told.

CPU time, since the time on the wall is of the machine and of what else runs there. A process of pytest-xdist sends what
its tests took with their reports. Leaves out processes that nobody waits for. Source: times(2); pytest's hooks.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Generator

import pytest

PROPERTY = "cpu_s"


def cpu_s() -> float:
    """Return the CPU time of this process and of its children that have ended."""
    return sum(os.times()[:4])


class Slowest:
    """Adds up what each test takes, and says at the end which *count* tests take most."""

    def __init__(self, count: int) -> None:
        self.count, self.before = count, cpu_s()
        self.spent: dict[str, float] = defaultdict(float)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self) -> None:
        """Begin to count."""
        self.before = cpu_s()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Note in the report of each phase (setup, call, teardown) what it took."""
        report = yield
        before, self.before = self.before, cpu_s()
        report.user_properties = [*report.user_properties, (PROPERTY, self.before - before)]
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add up what reports say, of whichever process."""
        told = [float(str(value)) for name, value in report.user_properties if name == PROPERTY]
        self.spent[report.nodeid] += sum(told)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print which tests take most, and how much all take."""
        rows = sorted(self.spent.items(), key=lambda it: (-it[1], it[0]))[: self.count]
        whole = f"{len(self.spent)} tests, which take {sum(self.spent.values()):.0f} s of CPU time"
        terminalreporter.section(f"{len(rows)} slowest of {whole}")
        for name, took in rows:
            terminalreporter.write_line(f"{took:7.2f} s  {name}")
