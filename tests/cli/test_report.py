"""The report of a run: its parts, their order, what is cut and what is not."""

import pytest

from sim.bundled import bundled
from sim.cli import out

ASSUMED = "services: {web: {image: nginx, ports: ['80:80']}, db: {image: postgres}}\nuntil: 2s\n"


def test_the_report_has_its_parts_in_order(shimulator):
    """Heading, story, trees before and after the fault, expectations, what was written, what to do next."""
    text = shimulator("run", "small.yaml").out
    parts = ["A small host", "docker-1.13", "kill dockerd", "Tree at shot-1s", "Tree at shot+500ms", "Expectations",
             "2 of 2 hold", "runs/small/: trace.jsonl", "Assumed:", "What if?"]  # fmt: skip
    assert sorted(parts, key=text.index) == parts


def test_the_source_is_relative_below_the_current_folder(shimulator, folder):
    """A file below is named without the folder; a bundled one by its name."""
    (folder / "deep").mkdir()
    (folder / "small.yaml").rename(folder / "deep" / "small.yaml")
    assert (
        shimulator("run", folder / "deep" / "small.yaml", "--no-save").out.splitlines()[0].endswith(" deep/small.yaml")
    )
    first = shimulator("run", bundled("shim-while-containerd-down"), "--no-save").out.splitlines()[0]
    assert first.endswith(" shim-while-containerd-down")


def test_a_steady_host_is_told_in_one_line_and_steps_with_their_lines(shimulator):
    """What happened before t = 0 is one line, the quiet ten days another, and a step names its line."""
    story = shimulator("run", "small.yaml", "--no-save").out.splitlines()[3:]
    assert story[0].startswith("10 d before t = 0")
    assert "then 2 containers" in story[0]
    assert story[0].endswith("open: remote 2 of 2, loopback 2 of 2")
    assert "10 d: nothing changes" in story[1]
    assert story[2].startswith("t = 60.000 s")
    assert story[2].endswith("step shot, line 6")


def test_a_step_without_a_name_is_told_by_its_line_alone(shimulator, folder):
    """An id that shimulator made up is not shown."""
    (folder / "plain.yaml").write_text(ASSUMED + "steps: [{at: 1s, kill: dockerd}]\n")
    (line,) = (row for row in shimulator("run", "plain.yaml").out.splitlines() if " kill dockerd " in row)
    assert line.endswith(" line 3")
    assert "step1" not in line


def test_skipped_ticks_are_the_true_total_and_said_once(shimulator, folder):
    """Where hours are quiet, the report says how many idle ticks the whole run has skipped."""
    import json

    text = shimulator("run", "small.yaml").out
    skipped = json.loads((folder / "runs/small/result.json").read_text())["skipped_ticks"]
    assert skipped > 1_000_000
    assert text.count("idle ticks skipped in the whole run") == 1
    assert f"{skipped / 1e6:.1f} M idle ticks" in text


def test_assumptions_stand_each_on_a_line(shimulator, folder):
    """A list, indented, one line each."""
    text = shimulator("run", "small.yaml", "--no-save").out
    listed = text.split("Assumed:\n")[1].split("What if?")[0].splitlines()
    assert listed
    assert all(line.startswith("  ") for line in listed)


def test_details_are_cut_on_a_terminal_alone(shimulator, monkeypatch):
    """On a terminal of 40 columns no expectation is wider, what was found stands below; elsewhere nothing is cut."""
    import sim.cli.run as module

    whole = shimulator("run", "small.yaml", "--no-save").out
    monkeypatch.setattr(module, "width", lambda: 40)
    short = shimulator("run", "small.yaml", "--no-save").out
    rows = short.split("Expectations\n")[1].split("\n\n")[0].splitlines()
    assert all(len(row) <= 40 for row in rows)
    assert any(row.endswith("…") for row in rows)
    assert any(row.strip().startswith("payload/web (") for row in rows)
    assert "…" not in whole.split("Expectations\n")[1].split("\n\n")[0]


def test_what_if_is_not_asked_where_it_is_so(shimulator):
    """With live-restore on, the report does not propose it."""
    assert "What if?" not in shimulator("run", "small.yaml", "--set", "engine.daemon.live-restore=true").out


def test_the_proposal_can_be_typed(shimulator, folder):
    """The command that is proposed quotes the name of the file."""
    (folder / "a b.yaml").write_text(ASSUMED)
    assert "whatif 'a b.yaml' --set" in shimulator("run", "a b.yaml", "--no-save").out


@pytest.mark.parametrize(("terminal", "drawn"), [(True, True), (False, False)])
def test_a_bar_is_for_terminals(terminal, drawn, monkeypatch, capsys):
    """progress draws on a terminal, and leaves the line empty at its end."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal, raising=False)
    bar = out.progress("4 seeds", quiet=False)
    assert (bar is not None) == drawn
    assert out.progress("4 seeds", quiet=True) is None
    if bar is not None:
        bar(2, 4)
        bar(4, 4)
        said = capsys.readouterr().err
        assert "4 seeds [############............] 2/4" in said
        assert said.endswith("\r\x1b[K")


def test_a_command_that_never_ended_is_said(shimulator, folder):
    """dockerd is stopped: docker kill waits for ever, which no expectation asks for and the report says."""
    import json

    text = (
        ASSUMED.replace("2s", "1m") + "steps:\n  - {at: 1s, stop: dockerd}\n  - {id: hung, at: 2s, docker: kill web}\n"
    )
    (folder / "hung.yaml").write_text(text)
    said = shimulator("run", "hung.yaml")
    assert said.status == 0
    assert "\nnever answered: step hung (docker kill web)\n" in said.out
    assert json.loads((folder / "runs/hung/result.json").read_text())["unanswered"] == ["hung"]
    assert "never answered" not in shimulator("run", "small.yaml").out


def test_a_step_that_was_never_taken_is_said(shimulator, folder):
    """Its moment did not come, or the one before it in its terminal has not ended."""
    import json

    steps = "  - {id: boot, at: ready(docker), kill: dockerd}\n  - {id: list, at: 2s, docker: [wait web, ps]}\n"
    (folder / "late.yaml").write_text(f"{ASSUMED.replace('2s', '1m')}steps:\n{steps}")
    said = shimulator("run", "late.yaml")
    assert "\nnever answered: step list (docker wait web)\nnever taken: step boot (kill dockerd), line " in said.out
    assert "\nnever taken: step list.2 (docker ps), line " in said.out
    assert json.loads((folder / "runs/late/result.json").read_text())["not_taken"] == ["boot", "list.2"]
    assert "never taken" not in shimulator("run", "small.yaml").out


def test_a_port_that_two_services_name_is_counted_once(shimulator, folder):
    """One of them has it at a time."""
    text = (
        "services: {web: {image: nginx, ports: ['80:80'], restart: always}}\n"
        "steps: [{at: 1s, docker: run -d --name other -p 80:8080 nginx}, {at: 2s, kill: dockerd}]\nuntil: 30s\n"
    )
    (folder / "one.yaml").write_text(text)
    said = shimulator("run", "one.yaml").out
    assert "remote 1 of 1, loopback 1 of 1" in said
    assert "of 2" not in said


def test_a_large_result_is_said_before_it_is_written(shimulator, folder, monkeypatch):
    """More than 50 MB are not written without a word; here a few bytes are large."""
    assert shimulator("run", "small.yaml").err == ""
    monkeypatch.setattr("sim.cli.run.LARGE", 100)
    said = shimulator("run", "small.yaml")
    assert said.err.startswith("shimulator: writes ")
    assert " MB to runs/small/" in said.err
    assert shimulator("run", "small.yaml", "--no-save").err == ""


def test_rounds_that_are_left_out_are_in_the_result(shimulator, folder):
    """Beside the story's first lines stand how many there are, from when on and for how long; null where none are."""
    import json

    service = "services: {web: {image: nginx, restart: always, x-payload: {exits: {code: 1, after: 20s}}}}"
    (folder / "loop.yaml").write_text(f"{service}\nuntil: 5s\n")
    left = json.loads(shimulator("run", "loop.yaml", "--json").out)["left_out"]
    assert left["of"] == ["web"]
    assert left["rounds"] > 1_000
    assert left["since_s"] + left["took_s"] < 0
    (folder / "quiet.yaml").write_text("services: {web: {image: nginx}}\nuntil: 5s\n")
    assert json.loads(shimulator("run", "quiet.yaml", "--json").out)["left_out"] is None


def test_the_run_tells_its_containers_and_what_helps(shimulator, folder):
    """A table of containers stands behind the story, in text, in JSON and on the page; --remedies adds what helps."""
    import json

    said = shimulator("run", "small.yaml", "--no-save").out
    assert "Containers since shot: 2 of 2 new process" in said
    assert "What helps?  shimulator run small.yaml --remedies" in said
    helped = shimulator("run", "small.yaml", "--no-save", "--remedies").out
    assert "What helps (each alone, same seed):" in helped
    assert "live-restore: true" in helped
    assert "What helps?" not in helped
    value = json.loads(shimulator("run", "small.yaml", "--no-save", "--json").out)
    assert [it["fate"] for it in value["containers"]] == ["new process", "new process"]
    assert value["remedies"] is None
    shimulator("report", "small.yaml", "-o", "x.html")
    page = (folder / "x.html").read_text()
    assert "Containers since shot: 2 of 2 new process" in page
    assert "<td>new process</td>" in page


def test_a_run_that_harms_nothing_has_no_table(shimulator, folder):
    """Where all containers are as they were there is nothing to tell."""
    (folder / "calm.yaml").write_text("services: {web: {}}\nuntil: 10s\n")
    assert "Containers since" not in shimulator("run", "calm.yaml", "--no-save").out
