"""Choose how Hypothesis draws: the same examples every time, so that `make test` says the same here as in CI.

SHIMULATOR_HYPOTHESIS=random draws new examples each time, to explore; a run of the long tests alone (`make check-long`)
does so by itself, unless SHIMULATOR_HYPOTHESIS=fixed; SHIMULATOR_HYPOTHESIS=first stops at the first failure as it was
drawn (`make mutants` asks for no more). Tests that draw much draw a part of it in the quick tests and belong to the
long ones as well, which draw all (tests/drawing.py). Of a test marked `mostly_long` the first case is quick, the others
are long. A failure prints a blob that repeats it. No deadline: how long an example takes says more of the machine than
of the code. With SHIMULATOR_COVERAGE the tests say what of the model they exercise (tests/exercised.py).
"""

import os
import signal

import pytest
from hypothesis import Phase, settings

settings.register_profile("fixed", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("first", derandomize=True, deadline=None, phases=(Phase.explicit, Phase.generate))
settings.register_profile("random", derandomize=False, deadline=None, print_blob=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --slowest N, which `make test` gives."""
    parser.addoption("--slowest", type=int, default=0, metavar="N", help="say which N tests take most CPU time")


def pytest_configure(config: pytest.Config) -> None:
    """Load the profile before any test module is imported, since their own settings begin from it.

    Ctrl-C is what it is on a terminal, for the processes that tests start as well: a suite that a shell has put into
    the background ignores it otherwise.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if only_long(config):
        os.environ["SHIMULATOR_EXAMPLES"] = "all"
    settings.load_profile(os.environ.get("SHIMULATOR_HYPOTHESIS") or ("random" if only_long(config) else "fixed"))
    if os.environ.get("SHIMULATOR_COVERAGE"):
        from tests.exercised import Told

        config.pluginmanager.register(Told(config))
    if config.option.slowest:
        from tests.slowest import Slowest

        config.pluginmanager.register(Slowest(config.option.slowest))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let a run of the long tests alone take those that draw all their examples there, and further cases of others."""
    begun = set()
    for item in items:
        case_of = item.nodeid.partition("[")[0]
        if only_long(config) and hasattr(getattr(item, "obj", None), "draws_more"):
            item.add_marker("long")
        if item.get_closest_marker("mostly_long") and not item.get_closest_marker("long"):
            if case_of in begun:
                item.add_marker("long")
            begun.add(case_of)


def only_long(config: pytest.Config) -> bool:
    """Return whether the long tests alone were asked for."""
    return bool(config.option.markexpr == "long")
