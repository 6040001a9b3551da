"""Headless Chromium driven over its debugging pipe, so that a test can open a page, press keys, look, and ask.

`make browser` unpacks it into build/. Each message is JSON that ends with NUL: commands go to descriptor 3 of the
browser, answers and events come from its descriptor 4. Source: the Chrome DevTools Protocol, with
`--remote-debugging-pipe`.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BUILD = Path(__file__).parent / "build"
PROGRAM = BUILD / "chromium"
WORDS = (
    "--headless", "--no-sandbox", "--no-zygote", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--hide-scrollbars", "--font-render-hinting=none", "--remote-debugging-pipe",
)  # fmt: skip
PATIENCE = 60  # seconds for one answer, on a machine that does much else
KEYS = {"ArrowLeft": 37, "ArrowRight": 39, "ArrowUp": 38, "ArrowDown": 40, "Home": 36, "End": 35, "PageUp": 33,
        "PageDown": 34, "Enter": 13, "Escape": 27}  # fmt: skip


class Broken(Exception):
    """The browser does not answer, or a script of the test failed."""


class Page:
    """One page, and all that it complained of."""

    def __init__(self, commands: int, answers: int) -> None:
        self.commands, self.answers = commands, answers
        self.rest = b""
        self.number = 0
        self.session = ""
        self.complaints: list[str] = []
        self.requests: list[str] = []

    def start(self) -> None:
        """Attach to a fresh page."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command and return its answer."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise Broken(f"{method}: {answer['error']}")
                return dict(answer["result"])
            self._note(answer)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self.rest:
            if not select.select([self.answers], [], [], PATIENCE)[0]:
                raise Broken(f"no answer for {PATIENCE} s")
            part = os.read(self.answers, 1 << 16)
            if not part:
                raise Broken("the browser has ended")
            self.rest += part
        message, _, self.rest = self.rest.partition(b"\0")
        return dict(json.loads(message))

    def _note(self, event: dict[str, Any]) -> None:
        params = event.get("params", {})
        match event.get("method"):
            case "Runtime.exceptionThrown":
                details = params["exceptionDetails"]
                self.complaints.append(details.get("exception", {}).get("description", details["text"]))
            case "Runtime.consoleAPICalled":
                self.complaints.append(f"console.{params['type']}: {[arg.get('value') for arg in params['args']]}")
            case "Log.entryAdded":
                self.complaints.append(params["entry"]["text"])
            case "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])

    # -- what a reader does -------------------------------------------------------------------------

    def open(self, file: Path, *, width: int = 1440, height: int = 900, dark: bool = False) -> None:
        """Open a file as a reader's browser would, in a window of a size, without movement."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        features = [("prefers-color-scheme", "dark" if dark else "light"), ("prefers-reduced-motion", "reduce")]
        self.call("Emulation.setEmulatedMedia", features=[{"name": name, "value": value} for name, value in features])
        self.call("Page.navigate", url=file.resolve().as_uri())
        while self.ask("document.readyState") != "complete":
            pass
        self.settle()

    def ask(self, script: str) -> Any:
        """Return what a script gives, as JSON."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise Broken(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def settle(self) -> None:
        """Wait until the page is drawn."""
        self.ask("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))")

    def press(self, key: str) -> None:
        """Press and release a key."""
        words = {"key": key, "windowsVirtualKeyCode": KEYS.get(key, ord(key[0]))}
        self.call("Input.dispatchKeyEvent", type="keyDown", **words, **({"text": key} if len(key) == 1 else {}))
        self.call("Input.dispatchKeyEvent", type="keyUp", **words)
        self.settle()

    def click(self, selector: str, place: float = 0.5) -> None:
        """Click an element, in its middle or at another share of its width; it is scrolled to first."""
        self.ask(f"document.querySelector({json.dumps(selector)}).scrollIntoView({{block: 'nearest'}})")
        box = self.box(selector)
        x, y = box[0] + box[2] * place, box[1] + box[3] / 2
        self.mouse("mousePressed", x, y)
        self.mouse("mouseReleased", x, y)

    def mouse(self, kind: str, x: float, y: float) -> None:
        """Press the left button at a place of the window, release it, or move while it is held."""
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)
        self.settle()

    def box(self, selector: str) -> list[float]:
        """Return where an element stands in the window: left, top, width, height."""
        where = f"document.querySelector({json.dumps(selector)}).getBoundingClientRect()"
        return list(self.ask(f"(({{x, y, width, height}}) => [x, y, width, height])({where})"))

    def text(self, selector: str) -> str:
        """Return the text of an element."""
        return str(self.ask(f"document.querySelector({json.dumps(selector)}).textContent"))

    def picture(self, file: Path, *, whole: bool = False) -> None:
        """Write what is seen as PNG."""
        answer = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        file.write_bytes(base64.b64decode(answer["data"]))


@contextmanager
def chromium(profile: Path) -> Iterator[Page]:
    """Run a browser with an empty profile for as long as it is needed, and give one page of it."""
    to_child, commands = _pipe()
    answers, from_child = _pipe()
    env = {**os.environ, "LD_LIBRARY_PATH": str(BUILD / "lib"), "FONTCONFIG_PATH": str(BUILD), "HOME": str(profile)}
    words = [str(PROGRAM), *WORDS, f"--user-data-dir={profile}"]
    log = os.open(profile / "stderr", os.O_CREAT | os.O_WRONLY)
    moves = [(os.POSIX_SPAWN_DUP2, to_child, 3), (os.POSIX_SPAWN_DUP2, from_child, 4), (os.POSIX_SPAWN_DUP2, log, 2)]
    pid = os.posix_spawn(PROGRAM, words, env, file_actions=moves, setpgroup=0)
    for end in (to_child, from_child, log):
        os.close(end)
    page = Page(commands, answers)
    try:
        page.start()
        yield page
    finally:
        os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(commands)
        os.close(answers)


def _pipe() -> tuple[int, int]:
    """Return the ends of a pipe, as numbers that are out of the way of 3 and 4."""
    ends = os.pipe()
    moved = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends]
    for end in ends:
        os.close(end)
    return moved[0], moved[1]
