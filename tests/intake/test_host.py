"""A whole host: what it prints becomes a scenario that runs."""

from __future__ import annotations

import io
import json
import tarfile

import pytest
import yaml

from sim.errors import InputError
from sim.intake import scenario_from
from sim.intake.inventory import inventory_of
from sim.intake.reading import reading_of
from sim.intake.sources import Source
from sim.scenario import load
from tests.intake import samples


def sources(outputs: dict[str, str]) -> list[Source]:
    """Return outputs as sources."""
    return [Source(name, text) for name, text in outputs.items()]


def read(*texts: str, design: str = ""):
    """Return the inventory of texts."""
    return inventory_of(reading_of([Source(f"{n}.txt", text) for n, text in enumerate(texts)]), design)


@pytest.fixture(scope="module")
def whole() -> tuple[str, str]:
    """The scenario of all outputs of the sample."""
    return scenario_from(texts=sources(samples.outputs()))


def test_the_scenario_of_a_host_is_one(whole):
    """It loads, with the containers, the design, the clock and the settings that were printed."""
    setup = load("host.yaml", whole[0]).setup
    assert [it.name for it in setup.services] == ["web", "db", "job"]
    assert setup.engine.design == "docker-26-separate"
    assert (setup.host.cores, setup.host.hostname, setup.host.cgroup) == (8, "shop-1", "v2")
    assert setup.engine.daemon.live_restore
    assert "docker-26-separate (version 26.1.5; containerd is no child of dockerd); 3 containers (2 up)" in whole[1]


def test_what_is_concluded_is_said(whole):
    """The head of the file names the engine's reason, the recorder that was left out and the foreign processes."""
    head = whole[0].partition("title:")[0]
    assert "the engine is docker-26-separate: version 26.1.5; containerd is no child of dockerd" in head
    assert "left out, since it recorded the table: ps 950, bash 900" in head
    assert "kept as foreign processes: systemd-journal 300, sshd 800" in head


def test_every_process_is_who_it_is():
    """Daemons, shims by id, proxies by address, programs by number, exec'd ones by their parent."""
    host = read(*samples.outputs().values())
    assert dict(host.targets) == {
        1: "init", 400: "containerd", 500: "dockerd", 600: "shim/db", 620: "payload/db", 640: "payload/db",
        700: "proxy/web:8080", 710: "proxy/web:8080", 720: "shim/web", 740: "payload/web", 760: "exec/web",
    }  # fmt: skip
    assert [row.pid for row in host.processes] == [row[0] for row in samples.KEPT]


def test_tables_complete_one_another():
    """Groups and sessions of one table, threads and starts of another, signals of a third."""
    row = next(it for it in read(samples.axjf(), samples.eo(), samples.statuses()).processes if it.pid == 620)
    assert (row.pgid, row.sid, row.threads, row.started, row.comm) == (620, 620, 4, "2026-12-01T09:15:30", "postgres")
    assert row.caught == 0x4000


@pytest.mark.parametrize("form", [samples.axjf, samples.ef, samples.auxf, samples.eo])
def test_every_form_of_ps_gives_the_same_tree(form):
    """Numbers and command lines are those of the table, whatever its columns."""
    host = read(form())
    assert [(row.pid, row.args) for row in host.processes] == [(row[0], row[9]) for row in samples.KEPT]
    assert [row.ppid for row in host.processes] == [row[1] for row in samples.KEPT]
    assert host.targets[720] == "shim/nginx"


def test_a_cut_table_still_tells_whose_shim_it_is():
    """Lines of 100 columns end within the id, of which the begin is enough."""
    cut = "\n".join(line[:100] for line in samples.axjf().split("\n"))
    host = read(cut, json.dumps(samples.inspected()))
    assert host.targets[720] == "shim/web"
    assert [row.cut for row in host.processes if row.pid in (620, 720)] == [False, True]
    assert "\\u" not in scenario_from(texts=[Source("cut.txt", cut)])[0]


def test_a_cut_table_gives_way_to_a_whole_one():
    """The longer arguments are taken, in whatever order the two are given."""
    cut = "\n".join(line[:100] for line in samples.axjf().split("\n"))
    for texts in ((cut, samples.axjf()), (samples.axjf(), cut)):
        assert [row.args for row in read(*texts).processes] == [row[9] for row in samples.KEPT]


def test_a_paste_is_read_in_pieces():
    """Prompts, prose and four outputs one after the other: the same containers, processes and settings."""
    host = read(samples.paste())
    assert [it.name for it in host.containers] == ["web", "db", "job"]
    assert host.targets[740] == "payload/web"
    assert host.settings["live-restore"] is True
    assert (host.facts["cores"], host.design) == ("8", "docker-26-separate") or host.facts["cores"] == 8
    assert [it.ports[0].host for it in host.containers if it.ports] == [8080]


def test_a_container_that_ended_ends_so_again(whole):
    """Its code and how long it lived become its program's own end."""
    job = yaml.safe_load(whole[0])["services"]["job"]
    assert job["x-payload"]["exits"] == {"code": 3, "after": "2s"}
    assert "restart" not in job


def test_a_handler_is_read_from_the_mask():
    """SigCgt with TERM: it exits; without: process 1 does not notice."""
    for caught, said in ((0x4000, {"exit": 0, "after": "100ms"}), (0, "none")):
        text, _ = scenario_from(texts=sources(samples.outputs() | {"status.txt": samples.statuses(caught=caught)}))
        assert yaml.safe_load(text)["services"]["db"]["x-payload"]["on_term"] == said


def test_a_contradiction_is_said():
    """A daemon.json that was edited since: the engine's word is taken, the file is read by its next start."""
    outputs = samples.outputs() | {"daemon.json": json.dumps({"live-restore": False})}
    text, _ = scenario_from(texts=sources(outputs))
    assert "live-restore is true in the running engine and false in daemon.json" in text
    assert load("x.yaml", text).setup.engine.daemon.live_restore
    assert "host: {daemon.json: {live-restore: false}}" in text


def test_the_design_can_be_chosen():
    """--design goes before what was inferred; a name that is none is refused with the nearest."""
    text, _ = scenario_from(texts=sources(samples.outputs()), design="docker-20.10")
    assert load("x.yaml", text).setup.engine.design == "docker-20.10"
    with pytest.raises(InputError, match="docker-26"):
        scenario_from(texts=sources(samples.outputs()), design="docker-26x")


def test_a_host_without_systemd_has_no_supervisor():
    """Where no process of systemd runs, PID 1 is no service manager."""
    rows = [row if row[0] != 1 else (*row[:8], "init", "/sbin/init") for row in samples.ROWS if row[0] != 300]
    assert "supervisor: none" in scenario_from(texts=[Source("ps.txt", samples.axjf(rows))])[0]
    assert "supervisor" not in scenario_from(texts=[Source("ps.txt", samples.axjf())])[0]


def test_a_folder_a_tar_and_a_pipe_are_the_same(tmp_path, whole):
    """Files of a folder, of a compressed archive, or standard input."""
    folder = tmp_path / "out"
    folder.mkdir()
    for name, text in samples.outputs().items():
        (folder / name).write_text(text)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.add(folder, "out")
    body = whole[0].partition("title:")[2]
    assert scenario_from([folder])[0].partition("title:")[2] == body
    assert scenario_from(["-"], stdin=packed.getvalue())[0].partition("title:")[2] == body


def test_ports_of_the_host_and_ranges_are_taken_from_what_tells_of_them():
    """A container with the host's network listens where ss says that one of its processes does; a range stays one."""
    head = "Netid State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess\n"
    listen = 'tcp   LISTEN 0      128                *:{}             *:*    users:(("{}",pid={},fd=3))\n'
    listens = [listen.format(*it) for it in ((5432, "postgres", 640), (22, "sshd", 800))]
    containers = {it["Name"]: it for it in samples.inspected()}
    containers["/db"]["HostConfig"]["NetworkMode"] = "host"
    containers["/web"]["HostConfig"]["PortBindings"] = {"80/tcp": [{"HostIp": "", "HostPort": "8080-8083"}]}
    more = {"ss.txt": head + "".join(listens), "inspect.json": json.dumps(list(containers.values()))}
    text, _ = scenario_from(texts=sources({**samples.outputs(), **more}))
    found = load("host.yaml", text).setup
    assert found.service("db").payload.listens == (("tcp", 5432),)
    assert [(port.host, port.container, port.last) for port in found.service("web").ports] == [(8080, 80, 8083)]
