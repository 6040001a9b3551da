"""A calibrated profile gives back what was measured, also of a made host whose truth is known."""

from __future__ import annotations

from statistics import median

import pytest
from msgspec.structs import replace

from sim.calibration.calibrate import CalibrationRequest, Effort, calibrate, rate_of
from sim.calibration.cells import Cell, Read, Terms, Wanted
from sim.calibration.divide import lengthened, parts_of
from sim.calibration.model import Model
from sim.calibration.phases import BY_NAME, PHASES
from sim.calibration.reading import read_all
from sim.durations import LogNormal, Profile, scaled
from sim.errors import InputError
from sim.latency import DOCKER_26_SHARES, EL7_IDLE

NOTHING = Read((), (), ())
QUICK = Effort(10, 2, 60)
ASKED = CalibrationRequest("mine", "docker-26", "docker-26-shares", effort=QUICK)


def csv_of(profile: Profile, phases: tuple[str, ...], seeds: int = 60) -> str:
    """Return what a host with this profile would have measured, by the model."""
    took = Model("docker-26", 2).took(profile, [BY_NAME[name] for name in phases], seeds)
    whole = set.intersection(*(set(runs) for runs in took.values()))  # an answer may come before the program's execve
    rows = ([took[name][seed].total for name in phases] for seed in sorted(whole))
    head = ",".join(f"{name.replace('/', '_')}_ms" for name in phases)
    return "\n".join([head, *(",".join(f"{it:.3f}" for it in row) for row in rows)]) + "\n"


def wanted(*phases: str) -> Terms:
    """Return the columns that `csv_of` writes."""
    return Terms(tuple(Wanted(name, f"{name.replace('/', '_')}_ms") for name in phases))


@pytest.mark.long
def test_a_host_that_is_twice_as_slow_is_found():
    """From sums alone: every phase of the fitted model has the median and the p95 of the host's."""
    slow = {row: replace(it, work=scaled(it.work, 2), wait=scaled(it.wait, 2)) for row, it in DOCKER_26_SHARES.items()}
    phases = ("start", "stop", "remove")
    text = csv_of(slow, phases)
    found, profile = calibrate(read_all([("m.csv", text, "2026-01-02")], wanted(*phases)), NOTHING, ASKED)
    for phase in found.phases:
        assert phase.modelled is not None
        assert phase.modelled.median_error == pytest.approx(0, abs=0.03), phase.name
        assert phase.modelled.p95_error == pytest.approx(0, abs=0.06), phase.name
        assert phase.why == ""
    start = next(it for it in found.phases if it.name == "start")
    assert sum(it.share for it in start.shares) == pytest.approx(1)
    fitted = profile["dockerd/move_network"]
    assert fitted.mark.startswith("M m.csv: start_ms, n = 60, 2026-01-02: start, share 0.")
    assert fitted.together == "start"
    assert fitted.work.at(0.5) == pytest.approx(slow["dockerd/move_network"].work.at(0.5), rel=0.1)
    assert profile["dockerd/check_pid_file"] == DOCKER_26_SHARES["dockerd/check_pid_file"]


@pytest.mark.long
def test_finer_phases_are_fitted_and_the_whole_is_compared():
    """The whole start owes nothing to its own rows where its parts were measured."""
    fine = tuple(it.name for it in PHASES if it.name.startswith("start/"))
    true = dict(DOCKER_26_SHARES)
    true["shim/set_up"] = replace(true["shim/set_up"], work=LogNormal(25.0, 0.3))
    text = csv_of(true, (*fine, "start"))
    found, profile = calibrate(read_all([("m.csv", text, "")], wanted(*fine, "start")), NOTHING, ASKED)
    whole = next(it for it in found.phases if it.name == "start")
    assert whole.why == "its ops belong to finer phases: a check of those"
    for it in found.phases:  # of the answer a part is hidden behind the program's execve
        assert it.modelled is not None
        assert it.modelled.median_error == pytest.approx(0, abs=0.15), it.name
    assert profile["shim/set_up"].work.at(0.5) == pytest.approx(25, rel=0.1)


@pytest.mark.long
def test_an_op_belongs_to_the_phases_that_it_lengthens():
    """Nobody lists them: the model is asked. What goes on beside lengthens nothing."""
    phases = [BY_NAME[name] for name in ("start", "start/payload", "start/answer", "port/iptables", "stop")]
    found = lengthened(Model("docker-26", 2), DOCKER_26_SHARES, phases)
    assert found["port/iptables"] == {"iptables/apply": 6}
    assert found["start/payload"] == {"runc/open_exec_fifo": 1, "payload/execute": 1}
    assert found["start/answer"] == {"shim/payload_started": 1}
    assert "payload/execute" not in found["start"]  # the answer does not wait for it
    assert "shim-command/start_command_threads" not in found["stop"]  # shim delete comes after
    parts = parts_of(found["stop"], DOCKER_26_SHARES, {"runc/delete"})
    assert "runc/delete" not in {part.row for part in parts}
    assert sum(part.share for part in parts) == pytest.approx(1)


@pytest.mark.long
def test_core_time_is_found_and_other_loads_follow():
    """Of a made host whose starts keep 1.6 cores busy: found by its rate at 8, and the loads 2 and 4 come out."""
    true = {row: replace(it, cores=1.6) for row, it in DOCKER_26_SHARES.items()}
    model, lines = Model("docker-26", 2), ["parallelism,t0_unix,api_start_s"]
    lines += [f"1,{n * 10},{it / 1e3:.6f}" for n, it in enumerate(model.started(true, 1, 30, False, 1)[0][:-1])]
    for at_once in (2, 4, 8):
        (run,) = model.started(true, at_once, 40, False, 1)
        made = 40 / run[-1]  # from the first request to the last answer
        ends = [made - it / 1e3 for it in run[:-1]]
        begins = [0.0, *(max(it, 0.0) for it in ends[1:])]
        begins[1] = made - run[1] / 1e3
        lines += [
            f"{at_once},{1000 * at_once + at:.6f},{it / 1e3:.6f}" for at, it in zip(begins, run[:-1], strict=True)
        ]
    found, profile = calibrate(read_all([("m.csv", "\n".join(lines), "")], Terms()), NOTHING, ASKED)
    assert found.demand is not None
    assert found.demand.at_once == 8
    assert found.demand.factor == pytest.approx(1.6, rel=0.06)
    assert profile["runc/begin_create"].cores == found.demand.factor
    assert "; cores: m.csv, 8 at once" in profile["runc/begin_create"].mark
    for load in found.loads:
        assert load.model_median == pytest.approx(load.median, rel=0.1), load.at_once
    assert [load.used for load in found.loads] == ["", "", "its rate gave the core time"]


def test_rows_of_many_starts_alone_cannot_be_fitted():
    """What one start takes is not in them."""
    text = "parallelism,api_start_s\n" + "8,1.0\n" * 9
    with pytest.raises(InputError, match=r"m\.csv: no row is of one start at a time"):
        calibrate(read_all([("m.csv", text, "")], Terms()), NOTHING, ASKED)


@pytest.mark.long
def test_without_demand_nothing_of_the_loads_is_used():
    """`--demand none`: the table stands, the profile has one core a program."""
    rows = "".join(f"1,{n},0.16\n8,{n / 10},1.0\n" for n in range(10))
    found, profile = calibrate(
        read_all([("m.csv", "parallelism,t0_unix,api_start_s\n" + rows, "")], Terms()), NOTHING,
        ASKED._replace(demand=None),
    )  # fmt: skip
    assert found.demand is None
    assert [(load.at_once, load.used) for load in found.loads] == [(8, "")]
    assert {it.cores for it in profile.values()} == {1.0}


@pytest.mark.long
def test_what_the_model_cannot_come_to_is_said():
    """A quick stop beside a slow start: the stop's own ops are few where both are commands of podman."""
    text = "x_ms,y_ms\n" + "".join(f"{307 + n / 10},{103 + n / 10}\n" for n in range(20))
    asked = CalibrationRequest("mine", "podman-quadlet", "podman-idle", effort=QUICK)
    terms = Terms((Wanted("start", "x_ms"), Wanted("stop", "y_ms")))
    found, _ = calibrate(read_all([("m.csv", text, "")], terms), NOTHING, asked)
    assert found.warnings[-1].startswith("stop: what of it is not fitted (polls, timers, other ops) takes longer")


@pytest.mark.long
def test_a_phase_that_a_design_has_not_is_compared_alone():
    """docker-1.13 has no `shim start`: the column is told, and nothing is fitted."""
    text = "x_ms,start_ms\n" + "".join(f"{5 + n / 10},{300 + n}\n" for n in range(20))
    terms = Terms((Wanted("start/shim-command", "x_ms"), Wanted("start", "start_ms")))
    asked = CalibrationRequest("mine", "docker-1.13", "el7-idle", effort=QUICK)
    found, profile = calibrate(read_all([("m.csv", text, "")], terms), NOTHING, asked)
    assert {it.name: bool(it.why) for it in found.phases} == {"start/shim-command": True, "start": False}
    took = Model("docker-1.13", 2).took(profile, [BY_NAME["start"]], 30)["start"]
    assert median(it.total for it in took.values()) == pytest.approx(309.5, rel=0.02)
    assert profile["dockerd/check_pid_file"] == EL7_IDLE["dockerd/check_pid_file"]


@pytest.mark.parametrize(
    ("demand", "said"),
    [
        (5, "--demand 5: no row of start is of 5 at once. There are: 2, 4, 8; with a rate, above 2 cores: 8."),
        (2, "--demand 2: 2 starts at once do not fill 2 cores."),
        (4, "--demand 4: rows of 4 at once lack t0_unix, or have long pauses: there is no rate"),
    ],
)
def test_a_demand_that_no_load_gives_is_refused(demand, said):
    """With the loads that there are, before anything is fitted."""
    rows = [(load, "" if load == 4 else str(1e9 + n // 8)) for load in (1, 2, 4, 8) for n in range(8)]
    text = "parallelism,total_ms,t0_unix\n" + "".join(f"{load},15{load},{at}\n" for load, at in rows)
    read = read_all([("m.csv", text, "")], Terms((Wanted("start", "total_ms"),)))
    with pytest.raises(InputError) as error:
        calibrate(read, NOTHING, ASKED._replace(demand=demand))
    assert said in str(error.value)


@pytest.mark.parametrize(("pause", "rate"), [(0, 20), (0.3, 16 / 1.1), (3600, None)])
def test_series_with_long_pauses_have_no_rate(pause, rate):
    """Eight at once, twice: by Little's law fewer went on if hours lay between."""
    cells = [Cell(400.0, 2, 8, 1e9 + half * (0.4 + pause)) for half in (0, 1) for _ in range(8)]
    assert rate_of(cells) == (None if rate is None else pytest.approx(rate))


@pytest.mark.mostly_long
@pytest.mark.parametrize(
    ("column", "told"), [("firewall_ms", False), ("run_wall_ms", True), ("wall_ms-begin_ms", True)]
)
def test_the_command_line_s_own_time_is_told_by_a_whole_word(column, told):
    """A firewall is no wall."""
    names = column.split("-")
    text = ",".join(names) + "\n" + "".join(",".join([f"{150 + n}", "1"][: len(names)]) + "\n" for n in range(8))
    read = read_all([("m.csv", text, "")], Terms((Wanted("start", column),)))
    found, _ = calibrate(read, NOTHING, ASKED._replace(effort=Effort(2, 1, 5)))
    assert any("docker(1)'s own time" in it for it in found.warnings) is told
