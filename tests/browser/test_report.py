"""The report as a reader sees it: in a headless Chromium, with slider, keys and clicks."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import sim
from sim.cli import main
from sim.experiment.run import Run, run_scenario
from sim.scenario import load
from sim.views.why import why
from tests.browser.chromium import BUILD, Page, chromium
from tests.render.test_report import HOSTILE

pytestmark = pytest.mark.long
TEXTS = ("pstree", "ps-axjf", "docker-ps", "docker-events")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """Run a browser for all tests of this file; where there is none they are skipped, but fail in CI."""
    if not (BUILD / "ready").is_file():
        why_not = "no browser is unpacked: make browser"
        if os.environ.get("CI"):
            pytest.fail(why_not)
        pytest.skip(why_not)
    with chromium(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Path]:
    """Return the run of the document and its page in a file."""
    run, file = sim.run("document"), tmp_path_factory.mktemp("pages") / "document.html"
    file.write_text(run.page(), encoding="utf-8")
    return run, file


@pytest.fixture
def page(browser: Page, document: tuple[Run, Path]) -> Iterator[Page]:
    """Return the page of the document, freshly opened; nothing may have been complained of in the end."""
    browser.complaints, browser.requests = [], []
    browser.open(document[1])
    yield browser
    assert browser.complaints == []
    assert browser.requests == [document[1].resolve().as_uri()]


def tree_of(page: Page) -> dict[int, int]:
    """Return the processes that are drawn, with their parents."""
    return dict(page.ask("[...document.querySelectorAll('.node')].map((n) => [+n.dataset.pid, +n.dataset.parent])"))


def left_of(page: Page, pid: int) -> float:
    """Return how far to the right a process is drawn."""
    return page.box(f".node[data-pid='{pid}']")[0]


def at(page: Page) -> str:
    """Return the moment that is shown, as --at takes it."""
    return page.text("#at")


def causes(page: Page) -> list[str]:
    """Return the causes that stand below the texts."""
    return list(page.ask("[...document.querySelectorAll('#why li span')].map((s) => s.textContent)"))


def test_the_slider_moves_the_tree_and_the_texts_are_those_of_show(page, document, capsys):
    """At three places of the slider the tree is that of then, and each text is what `shimulator show` prints."""
    seen, before = [], tree_of(page)
    for place in (0.3, 0.55, 0.97, "event"):
        if isinstance(place, float):
            page.click("#slider", place)
        else:
            page.ask("show(momentOf(D.events.at(-3)[0]))")
        moment = at(page)
        for name in TEXTS:
            page.click(f"#tab-{name}")
            shown = page.text("#pane")
            assert main(["show", "document", "--at", moment, "--as", name]) == 0
            assert shown == capsys.readouterr().out, (moment, name)
        drawn = tree_of(page)
        living = document[0].at(moment).host.procs
        assert drawn == {pid: process.ppid for pid, process in living.items()}
        assert drawn != before
        seen.append(moment)
        before = drawn
    assert len(set(seen)) == 4
    assert all(moment.startswith("kill+") for moment in seen)


def test_the_slider_can_be_dragged(page):
    """While the thumb is held, each place that it comes to shows another moment."""
    left, top, width, height = page.box("#slider")
    places = [(left + width * share, top + height / 2) for share in (0.2, 0.35, 0.5, 0.65, 0.9)]
    page.mouse("mousePressed", *places[0])
    moments = [at(page)]
    for place in places[1:]:
        page.mouse("mouseMoved", *place)
        moments.append(at(page))
        thumb = left + 8 + page.ask("slider.value * (slider.clientWidth - 16)")
        assert abs(page.box("#cursor")[0] - thumb) < 2
    page.mouse("mouseReleased", *places[-1])
    assert len(set(moments)) == 5


def test_keys_go_through_the_run(page, document):
    """Arrows go to changes, f to steps, Home and End to the edges, Page keys along the story, digits to the texts."""
    run = document[0]
    page.press("Home")
    assert run.moment(at(page)) == run.trace.origin + run.timeline().origin + run.timeline().begin
    page.press("f")
    assert at(page) == "kill"
    shims = {pid for pid, process in run.at("kill").host.procs.items() if process.image.program == "shim"}
    places = {pid: left_of(page, pid) for pid in shims}
    for _ in range(12):
        page.press("ArrowRight")
        if all(tree_of(page)[pid] == 1 for pid in shims):
            break
    assert {tree_of(page)[pid] for pid in shims} == {1}
    assert all(left_of(page, pid) < places[pid] for pid in shims)
    assert page.ask("[...document.querySelectorAll('.node.moved')].length") >= len(shims)
    moment = at(page)
    page.press("ArrowLeft")
    assert run.moment(at(page)) < run.moment(moment)
    page.press("PageDown")
    assert run.moment(at(page)) >= run.moment(moment)
    page.press("End")
    assert run.moment(at(page)) == run.trace.end
    page.press("F")
    assert at(page) == "kill"
    page.press("2")
    assert page.text("#pane").startswith("systemd─")
    page.press("?")
    assert page.ask("document.querySelector('#help').open")
    page.click("#closed")
    assert not page.ask("document.querySelector('#help').open")


def test_a_click_says_why(page, document):
    """A line of the story, one of docker events, a process and a bar each show their causes, down to the step."""
    run = document[0]
    page.click(".story li:nth-child(4) button")
    assert "shims under PID 1" in page.text("#why h2")
    assert causes(page)[-1] == "step kill, line 141: kill dockerd"
    page.click(".node[data-pid='625']")
    assert causes(page)[0] == "shim/grafana (625) got another parent: init (1)"
    page.press("End")
    page.click("#tab-docker-events")
    line = "#pane pre span:nth-last-of-type(2)"
    action, name = re.search(r" container (\w+) .*name=(\w+)", page.text(line)).groups()
    page.click(line, 0.1)
    assert causes(page)[0] == f"engine: {action} {name}"
    page.click("#tab-story")
    pid = next(p.pid for p in run.at().host.procs.values() if str(p.image.comm) == "e3w")
    page.click(f".node[data-pid='{pid}']")
    assert causes(page)[0] == f"payload/e3w ({pid}) began"
    expected = [link.text for link in why(run.trace, "container arthas", run.trace.end).links]
    page.click(".lane[data-name='arthas'] .ground", 0.85)
    shown = causes(page)
    assert run.moment(at(page)) < run.trace.end
    assert shown[0].startswith("engine: arthas is ")
    page.press("End")
    page.ask("pick('arthas', false)")
    assert causes(page) == (expected if len(expected) <= 24 else expected[:18] + expected[-6:])
    page.click("#why li:nth-child(3) button")
    assert run.moment(at(page)) < run.trace.end
    page.press("Escape")
    assert causes(page) == []


def test_the_tree_is_walked_with_keys(page):
    """Down chooses the next process, Enter asks why it is so."""
    page.ask("document.querySelector('#drawing').focus()")
    for _ in range(3):
        page.press("ArrowDown")
    assert page.ask("document.querySelectorAll('.node.chosen').length") == 1
    page.press("Enter")
    assert causes(page)


@pytest.mark.parametrize("dark", [False, True])
def test_light_and_dark_follow_the_reader_and_the_button(browser, document, dark):
    """The page is light or dark as the system is, and the button turns it; letters stand out from their ground."""
    browser.open(document[1], dark=dark)

    def light(selector: str, part: str) -> float:
        colour = browser.ask(f"getComputedStyle(document.querySelector('{selector}')).{part}")
        red, green, blue = map(float, re.findall(r"[\d.]+", colour)[:3])
        return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255

    for expected in (dark, not dark):
        assert (light(".card", "backgroundColor") < 0.3, light("h1", "color") > 0.7) == (expected, expected)
        browser.click("#theme")


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1280, 720), (1920, 1080)])
def test_one_screen_shows_slider_timeline_and_tree(browser, document, width, height):
    """On a usual screen nothing needs to be scrolled to: slider, lanes and tree are there."""
    browser.open(document[1], width=width, height=height)
    for part in ("#lanes", "#slider", "#tree", "#side"):
        _, top, _, tall = browser.box(part)
        assert 0 <= top < top + tall <= height
    assert browser.ask("document.documentElement.scrollWidth") <= width


def test_a_narrow_window_scrolls_down_alone(browser, document):
    """On a telephone parts stand below each other, and nothing is wider than the window."""
    browser.open(document[1], width=390, height=844)
    assert browser.ask("document.documentElement.scrollWidth") == 390
    tops = [browser.box(part)[1] for part in ("#lanes", "#slider", "#tree", "#side", "#expectations")]
    assert tops == sorted(tops)


@pytest.mark.parametrize(
    "text",
    [
        "services: {}\nuntil: 3s\n",
        "services: {web: {image: nginx}}\nuntil: 3s\n",
        "services: {web: {image: nginx, ports: ['80:80']}}\nsteps: [{at: 1s, docker: pause web}]\nuntil: 3h\n",
        HOSTILE,
    ],
    ids=["nothing", "no step", "paused", "hostile"],
)
def test_other_runs_are_shown_without_complaint(browser, text, tmp_path):
    """Nothing, one container, a paused one, and names that would act if they could."""
    import yaml

    words = text if isinstance(text, str) else yaml.safe_dump(text, allow_unicode=True)
    file = tmp_path / "x.html"
    file.write_text(run_scenario(load("x.yaml", words)).page(), encoding="utf-8")
    browser.complaints, browser.requests = [], []
    browser.open(file)
    for key in ("Home", "ArrowRight", "f", "End", "2", "3", "4", "5", "1", "ArrowLeft"):
        browser.press(key)
    assert browser.complaints == []
    assert browser.requests == [file.resolve().as_uri()]
    assert browser.ask("document.querySelectorAll('.node').length") >= 1
