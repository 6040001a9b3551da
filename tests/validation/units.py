"""The section about units: the model's systemd beside a real one, from the rows that were recorded of it.

Source: tests/systemd/golden.yaml.
"""

from __future__ import annotations

from tests.systemd.compare import STATED, differences, golden, stated

HEAD = """\
## Units, {version} as PID 1 of a namespace

`python -m tests.systemd.record` told {count} stories to a real systemd with units of `sleep`: limits of starts by hand
and by Restart=, KillMode= × Restart=, how a main process ends × Restart=, stops that take too long, jobs that cross
each other, Type=notify, ExecStop= and ExecStopPost=, and what a stop, a restart and a crash do to a unit that wants,
requires or is bound to another. {rows} went the same way each of the {times} times; {same} of them go so in the model,
too: states, their order and times, systemctl's answers, results, and what is left in the control groups.
`tests/systemd` holds each row.

| differs in | how | why it stays |
|---|---|---|
"""


def units() -> str:
    """Return the section."""
    file = golden()
    names = [row["name"] for row in file["stories"]]
    same = sum(not differences(name) for name in names if stated(name) is None)
    count = len(names) + len(file["unsteady"])
    head = HEAD.format(version=file["systemd"], count=count, rows=len(names), times=file["times"], same=same)
    lines = (f"| {', '.join(f'`{it}`' for it in stay.stories)} | {stay.what} | {stay.why} |\n" for stay in STATED)
    return head + "".join(lines)
