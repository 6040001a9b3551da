"""The page of a report: it holds what `shimulator show` prints, needs nothing else, and nobody's words act in it."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import sim
from sim.experiment.run import Run, run_scenario
from sim.render.report_data import LAST, LINKS, OF_TABLE, of_client, shortened
from sim.render.timeline_looks import CLIENTS, LOOKS
from sim.scenario import load
from sim.views.recorded import Pool
from sim.views.why_chain import Link
from tests.cli.conftest import SMALL

ROOT = Path(__file__).resolve().parent.parent.parent
EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)><!--{{data}}&amp;\u2028\u202e\x1b"
HOSTILE = {
    "title": EVIL,
    "services": {
        "web": {"image": f"i{EVIL}", "command": [EVIL, "x"], "ports": ["80:80"], "labels": {EVIL: EVIL},
                "x-payload": {"comm": "</script>", "argv": [EVIL]}},
    },
    "steps": [{"id": "shot", "at": "60s", "kill": "dockerd"}],
    "until": "70s",
    "assumptions": [EVIL],
    "expect": [{"at": "end", "step": "shot", "error": EVIL}],
}  # fmt: skip


class Elements(HTMLParser):
    """The elements of a page with their attributes, and the texts of scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.raw: dict[str, list[str]] = {"script": [], "style": []}
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in self.raw:
            self.raw[tag].append("")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem in self.raw:
            self.raw[self.cdata_elem][-1] += data


def data_of(page: str) -> dict[str, Any]:
    """Return what the page's script reads."""
    found = json.loads(Elements(page).raw["script"][0])
    assert isinstance(found, dict)
    return found


def text_at(data: dict[str, Any], name: str, moment: int) -> str:
    """Put a text together as the page does."""
    lines: list[int] = []
    for at, start, gone, come in data["texts"][name]:
        if at <= moment:
            lines[start : start + gone] = come
    return "\n".join(data["lines"][number] for number in lines)


@pytest.fixture(scope="module")
def document() -> tuple[Run, str]:
    """Return the run of the document and its page."""
    run = sim.run("document")
    return run, run.page()


@pytest.mark.parametrize(
    "name", ["document", "t51-reboot#5", "t53-dockerd-stopped#1", "podman-payload-killed", "kubelet-crash-loop"]
)
def test_the_texts_of_a_moment_are_what_show_prints(name):
    """At moments all along a run every text equals that of `shimulator show`, and the tree is that of ps.

    So it is where the host is off, and where docker gets no answer; a host without docker has its own views there.
    """
    run = sim.run(name)
    data = data_of(run.page())
    zero = run.trace.origin + run.timeline().origin
    client = run.at().design.traits.client
    assert [*data["titles"]] == [*OF_TABLE, *of_client(client), f"{client}-events"]
    assert data["eventView"] == f"{client}-events"
    for moment in range(0, len(data["moments"]), 17):
        at = zero + data["moments"][moment]
        for name in (*OF_TABLE, *of_client(client)):
            assert text_at(data, name, moment) == run.show(name, at), (name, moment)
        many = sum(when <= data["moments"][moment] for when, _ in data["events"])
        assert data["eventLines"][:many] == run.show(f"{client}-events", at).splitlines()
        shown: list[int] = []
        for since, start, gone, come in data["tree"]:
            if since <= moment:
                shown[start : start + gone] = come
        drawn = {(data["boxes"][number][0], data["boxes"][number][1]) for number in shown}
        assert drawn == {(p.pid, p.ppid) for p in run.at(at).host.procs.values()}


def test_the_page_says_what_was_found_and_from_what(document):
    """Finding, verdicts, assumptions, scenario, version, seed and the whole story can be read without a script."""
    _, page = document
    text = re.sub(r"<script.*", "", page, flags=re.DOTALL)
    for words in (
        "<h1>A killed dockerd: 6 of 6 containers replaced; remote clients dark up to", "✓ 4 of 4 expectations hold",
        "13 of 13 lines", "TERM exits 0 after 100 ms", "container_name: grafana", f"shimulator {sim.__version__}",
        "seed 1", "1.9 M idle ticks skipped", "engine: die 137: arthas",
    ):  # fmt: skip
        assert words in text


def test_the_page_loads_nothing_and_runs_only_its_own_script(document):
    """No address but the empty icon; the policy names the script and the style by their hashes."""
    found = Elements(document[1])
    addresses = [value for _, attributes in found.elements for name, value in attributes.items()
                 if name in ("src", "href", "action", "srcset", "style") or name.startswith("on")]  # fmt: skip
    assert addresses == ["data:,", "#expectations"]
    policy = next(a["content"] for tag, a in found.elements if a.get("http-equiv") == "Content-Security-Policy") or ""
    assert policy.startswith("default-src 'none'; img-src data:; ")
    for kind, text in (("style", found.raw["style"][0]), ("script", found.raw["script"][1])):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    assert not re.findall(r"url\((?!#)|@import|https?://(?!www\.w3\.org/2000/svg)", document[1])


def test_nobodys_words_act_in_the_page(tmp_path, monkeypatch):
    """Titles, names and images with HTML in them stay words: the elements are those of any page."""
    import yaml

    evil = run_scenario(load("evil.yaml", yaml.safe_dump(HOSTILE, allow_unicode=True))).page()
    tame = run_scenario(load("x.yaml", SMALL)).page()
    found = Elements(evil)
    assert {tag for tag, _ in found.elements} <= {tag for tag, _ in Elements(tame).elements}
    assert [tag for tag, _ in found.elements].count("script") == 2
    assert not any(name.startswith("on") for _, attributes in found.elements for name in attributes)
    assert "alert(1)" in evil
    assert not set("\u2028\u202e\x1b") & set(evil)
    assert not set("<>&") & set(found.raw["script"][0])
    assert "{{" not in evil.replace("{{data}}", "")
    assert data_of(evil)["lanes"][2]["name"] == "web"


@pytest.mark.long
def test_the_same_seed_gives_the_same_bytes():
    """Another process with another hash seed writes the same page; another seed another one."""
    code = "import sys, sim; sys.stdout.buffer.write(sim.run('shim-while-containerd-down', seed=3).page().encode())"
    env = {**os.environ, "PYTHONHASHSEED": "77", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=env, cwd=ROOT, check=True)
    assert done.stdout.decode() == sim.run("shim-while-containerd-down", seed=3).page()
    assert done.stdout.decode() != sim.run("shim-while-containerd-down", seed=4).page()


def test_long_chains_are_shortened_and_say_by_how_much(document):
    """Of a long chain the nearest causes and the last ones stay, and between them a number of what is left out."""
    chains = data_of(document[1])["chains"]
    whole = max(map(len, chains))
    assert LAST < whole <= LINKS
    links = [Link(number, number, f"{number}") for number in range(LINKS + 5)]
    pool = Pool()
    kept = list(shortened(links, 3, pool))
    assert kept == [*range(LINKS - LAST), -5, *range(LINKS - LAST, LINKS)]
    assert list(pool.numbers)[-1] == (LINKS + 5 - 1 - 3, f"{LINKS + 4}")
    assert list(shortened(links[:LINKS], 3, Pool())) == [*range(LINKS)]


def test_every_colour_of_the_timeline_is_one_of_the_page(document):
    """Each look and each class of clients has its colour in light and in dark."""
    style = Elements(document[1]).raw["style"][0]
    for name in (*LOOKS, *CLIENTS):
        assert f"--look-{name}: light-dark(" in style
        assert f".look-{name} {{" in style


def test_every_hatch_of_the_timeline_has_its_strokes_in_the_page():
    """A hatch that the page cannot draw is an error of the browser, which only the long tests would see."""
    script = (Path(sim.__file__).parent / "render/page/timeline.js").read_text(encoding="utf-8")
    strokes = re.search(r"const STROKES = \{(.*)\};", script).group(1)
    keys = {quoted.replace("\\\\", "\\") or plain for quoted, plain in re.findall(r'(?:"([^"]+)"|(\w+)): "', strokes)}
    assert keys == {look.hatch[0] for look in LOOKS.values() if look.hatch}


def test_a_run_without_ports_steps_or_expectations_has_a_page_too():
    """Nothing was done, nothing expected: the page says so."""
    page = run_scenario(load("x.yaml", "services: {web: {image: nginx}}\nuntil: 3s\n")).page()
    assert "nothing was expected" in page
    assert data_of(page)["strips"] == []
    assert data_of(page)["moments"]
    empty = run_scenario(load("x.yaml", "services: {}\nuntil: 3s\n")).page()
    assert data_of(empty)["moments"]
