"""The command line. Commands live in a file each and are imported when they are called, so that --help is quick.

Exit status: 0 all holds, 1 an expectation failed, 2 wrong input or usage, 3 undetermined, 4 a fault in the model or the
machine, 130 Ctrl-C, 141 nobody reads what is printed. Results go to stdout, progress and complaints to stderr. Source:
the project's own conventions.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from sim.cli.examples import BLASTS, CALIBRATIONS, CHECKS, EXAMPLES, PLOTS, WHATIFS
from sim.cli.parser import CommandParser
from sim.cli.status import WRONG
from sim.cli.values import JOBS, SEED, SEEDS, STATES, day, few_seeds, load, speed, whole_number
from sim.version import __version__

FILE = "a scenario (FILE#2: the second one of a file), a bundled scenario's name, a runs/ folder or a trace; - is stdin"


# -- commands ---------------------------------------------------------------------------------------


def _run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="+", help=FILE + "; several, a folder or rows (the transition table): one table")
    _settings(parser)
    parser.add_argument("--seeds", type=SEEDS, metavar="N", help="seeds 1 to N: in how many does each expectation hold")
    parser.add_argument("--jobs", type=JOBS, metavar="N", help="processes for --seeds (default: one a core)")
    parser.add_argument("-o", "--output", metavar="DIR", help="folder for the results (default: runs/NAME)")
    parser.add_argument("--no-save", action="store_true", help="write no files")
    parser.add_argument("--remedies", action="store_true", help="run it again with each setting that may help")
    parser.add_argument("--live", type=speed, metavar="X", help="tell it on stderr as it happens, X times as fast")
    _quiet(parser)


def _views() -> str:
    from sim.cli.show import listed

    return listed()


def _show(parser: CommandParser) -> None:
    parser.add_argument("file", help=FILE + ", or a process table in JSON")
    parser.add_argument("--at", metavar="INSTANT", help="kill-1s, die(web)+2s, 90s, -5s, end (default: end)")
    parser.add_argument("--as", dest="view", metavar="VIEW", help="what to show: see below (default: pstree)")
    parser.add_argument("--of", metavar="NAME", help="the container or, of systemctl-status, the unit that is meant")
    parser.add_argument("--root", metavar="PID", help="show this process and what is below it: a pid or a role")
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="write it; .dot, .mmd, .graphml, .json say what to show; of procfs a folder",
    )
    parser.after, parser.formatter_class = _views, argparse.RawDescriptionHelpFormatter
    _settings(parser)


def _plot(parser: argparse.ArgumentParser) -> None:
    parser.epilog, parser.formatter_class = PLOTS, argparse.RawDescriptionHelpFormatter
    parser.add_argument("file", nargs="+", help=FILE + "; two are drawn above each other")
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="x.png, x.svg or x.pdf")
    parser.add_argument("--by", choices=("container", "process", "role"), default="container",
                        help="what the lanes are: container, process or role (default: container)")  # fmt: skip
    _window(parser)
    parser.add_argument("--tree", action="store_true", help="draw the process tree, of two moments or files what moved")
    parser.add_argument("--at", dest="moments", action="append", default=[], metavar="INSTANT",
                        help="moment of --tree; twice: before and after (default: about the first fault)")  # fmt: skip
    parser.add_argument("--seed", dest="seeds", type=few_seeds, default=(1,), metavar="N",
                        help="seed of the draws (default: 1); 1,2 draws two runs")  # fmt: skip
    _settings(parser, seed=False)


def _report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help=FILE)
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="the page to write: x.html")
    _window(parser)
    _settings(parser)


def _window(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", dest="start", metavar="INSTANT",
                        help="where the timeline begins (default: a minute before the first fault)")  # fmt: skip
    parser.add_argument("--to", dest="stop", metavar="INSTANT", help="where it ends, such as kill+2s (default: end)")


def _why(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help=FILE)
    parser.add_argument("fact", help="'why is web not running', '8080 closed from loopback', 'process shim/web'")
    parser.add_argument("--at", metavar="INSTANT", help="when (default: end)")
    _settings(parser)


def _diff(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "example: shimulator diff document@kill-1s document@kill+5s"
    parser.add_argument("one", metavar="A", help="a run, trace or scenario, with @INSTANT; or what ps has printed")
    parser.add_argument("other", metavar="B", help="the same")
    _settings(parser)


def _whatif(parser: argparse.ArgumentParser) -> None:
    parser.epilog, parser.formatter_class = WHATIFS, argparse.RawDescriptionHelpFormatter
    parser.add_argument("file", nargs="*", help="scenarios, bundled ones' names, a folder; several give one table")
    parser.add_argument("--matrix", action="store_true",
                        help="every design with every fault; --design and --faults F1,F5 choose some")  # fmt: skip
    parser.add_argument("--sensitivity", action="store_true",
                        help="rank what is assumed by what hangs on it: each value varied alone")  # fmt: skip
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="PATH=VALUE",
                        help="what to change; V1,V2 and 1..9 are several values, a grid with the others")  # fmt: skip
    parser.add_argument("--design", metavar="A,B", help="other engines: --set engine.design=A,B")
    parser.add_argument("--profile", metavar="P",
                        help="run all on one profile's durations; what it lacks is each design's own")  # fmt: skip
    parser.add_argument("--faults", metavar="F,F", help="in the place of the file's first: containerd, 'stop dockerd'")
    parser.add_argument("--zip", action="store_true", help="first values together, then second ones")
    parser.add_argument("--window", nargs=2, metavar=("FROM", "TO"), help="what is measured: kill kill+2m")
    parser.add_argument("--metric", dest="metrics", action="append", default=[], metavar="FILE.py:FUNCTION",
                        help="a metric of your own: a function from a trace to a number")  # fmt: skip
    parser.add_argument("--seeds", type=SEEDS, metavar="N", help="paired runs (default: 40)")
    parser.add_argument("--precision", metavar="W", help="run on until each interval is as narrow: 100ms or 5%%")
    parser.add_argument("--most", type=SEEDS, metavar="N", help="at most so many, with --precision (default: 1000)")
    parser.add_argument("--jobs", type=JOBS, metavar="N", help="processes (default: one a core)")
    parser.add_argument("--cluster", metavar="ADDRESS", help="a Dask scheduler, such as tcp://10.0.0.1:8786")
    parser.add_argument("--csv", action="store_true", help="print CSV: a row for each file, worst first, totals last")
    parser.add_argument("-o", "--output", metavar="DIR", help="folder for the results (default: runs/NAME.whatif)")
    parser.add_argument("--no-save", action="store_true", help="write no files")
    parser.add_argument("--explain", action="store_true", help="list every assumption and source")
    _quiet(parser)


def _blast(parser: argparse.ArgumentParser) -> None:
    parser.epilog, parser.formatter_class = BLASTS, argparse.RawDescriptionHelpFormatter
    parser.add_argument("file", help="the host: a scenario or a bundled scenario's name; acts replace its first fault")
    parser.add_argument("--only", action="append", default=[], metavar="WORD",
                        help="a role, target, unit, kind of act or an act: dockerd, payload/web, upgrade")  # fmt: skip
    parser.add_argument("--window", default="60s", metavar="TIME", help="how long to look after an act (default: 60s)")
    parser.add_argument("--seeds", type=SEEDS, metavar="N", help="runs of each act (default: 1)")
    parser.add_argument("--jobs", type=JOBS, metavar="N", help="processes (default: one a core)")
    parser.add_argument("--cluster", metavar="ADDRESS", help="a Dask scheduler, such as tcp://10.0.0.1:8786")
    parser.add_argument("-o", "--output", dest="outputs", action="append", default=[], metavar="FILE",
                        help="write a figure (x.png, x.svg, x.pdf) or a page (x.html)")  # fmt: skip
    _settings(parser, seed=False)
    _quiet(parser)


def _check(parser: argparse.ArgumentParser) -> None:
    parser.epilog, parser.formatter_class = CHECKS, argparse.RawDescriptionHelpFormatter
    parser.add_argument("file", help="the host: a scenario or a bundled scenario's name; acts replace its first fault")
    parser.add_argument("--on", action="append", default=[], metavar="ACT", help="an act, as blast --only takes it")
    parser.add_argument("--lose", metavar="N", help="how many containers may not run afterwards: none, or a number")
    parser.add_argument("--replace", metavar="N", help="how many may get another process: none, or a number")
    parser.add_argument("--max-dark", metavar="TIME", help="how long a port may be closed: 5s")
    parser.add_argument("--back-within", metavar="TIME", help="after how long all must be as before: 2m")
    parser.add_argument("--window", default="60s", metavar="TIME", help="how long to look after an act (default: 60s)")
    parser.add_argument(
        "--seeds", type=SEEDS, metavar="N", help="runs of each act, all of which must hold (default: 1)"
    )
    parser.add_argument("--jobs", type=JOBS, metavar="N", help="processes (default: one a core)")
    parser.add_argument("--cluster", metavar="ADDRESS", help="a Dask scheduler, such as tcp://10.0.0.1:8786")
    parser.add_argument("--junit", metavar="FILE", help="write JUnit's XML")
    parser.add_argument("--github", action="store_true", help="print annotations for GitHub's workflows")
    _settings(parser, seed=False)
    _quiet(parser)


def _explore(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help="a scenario or a bundled scenario's name")
    parser.add_argument("-p", "--property", dest="properties", action="append", default=[], metavar="P",
                        help="V3, all, or 'always: open(80, remote)' (default: the file's own)")  # fmt: skip
    parser.add_argument("--faults", metavar="K", help="what may go wrong: 1, or kill=1,stall=1 (default: the file's)")
    parser.add_argument("--between", nargs=2, metavar=("FROM", "TO"), help="when: start(web) die(web), or steps' ids")
    parser.add_argument("--limit", type=STATES, default=2_000_000, metavar="N", help="most states (default: 2000000)")
    parser.add_argument("--seconds", type=STATES, default=600, metavar="N", help="seconds at most (default: 600)")
    parser.add_argument("--memory", type=STATES, default=8_000, metavar="MB", help="of a process (default: 8000)")
    parser.add_argument("--untimed", action="store_true", help="let timers ring at any time")
    parser.add_argument("--full", action="store_true", help="take every order, also where it makes no difference")
    parser.add_argument("--jobs", type=JOBS, metavar="N", help="processes (default: one a core)")
    parser.add_argument("--coverage", action="store_true", help="list what was never reached")
    parser.add_argument("-o", "--output", metavar="DIR", help="folder for the stories (default: runs/NAME.explore)")
    parser.add_argument("--no-save", action="store_true", help="write no files")
    _settings(parser, seed=False)
    _quiet(parser)


def _calibrate(parser: argparse.ArgumentParser) -> None:
    parser.epilog, parser.formatter_class = CALIBRATIONS, argparse.RawDescriptionHelpFormatter
    parser.add_argument("file", nargs="+", help="measured phases: CSV, or docker events in JSON; - is stdin")
    parser.add_argument("--phase", dest="phases", action="append", default=[], metavar="PHASE=COLUMN",
                        help="which column is which phase, or the difference of two: stop=end_s-begin_s")  # fmt: skip
    parser.add_argument("--where", action="append", default=[], metavar="COLUMN=VALUE", help="take these rows alone")
    parser.add_argument("--unit", metavar="UNIT", help="of columns whose names do not say it: s, ms, us, ns")
    parser.add_argument("--load", metavar="COLUMN",
                        help="how many starts there were at once (default: parallelism)")  # fmt: skip
    parser.add_argument("--check", action="append", default=[], metavar="FILE",
                        help="a CSV file that is held against the model, and not fitted")  # fmt: skip
    parser.add_argument("--design", default="docker-26", metavar="NAME", help="the engine (default: docker-26)")
    parser.add_argument("--base", metavar="PROFILE", help="whose shares divide a phase (default: the design's)")
    parser.add_argument("--cores", type=whole_number(1, 1024), default=2, metavar="N", help="of the host (default: 2)")
    parser.add_argument("--demand", type=load, metavar="N",
                        help="load whose rate gives a start's core time, or none (default: highest)")  # fmt: skip
    parser.add_argument("--name", metavar="NAME", help="of the profile (default: that of its file)")
    parser.add_argument("--date", type=day, metavar="YYYY-MM-DD",
                        help="of the measurement (default: as the rows say, else that of the file)")  # fmt: skip
    parser.add_argument("-o", "--output", metavar="FILE", help="write the profile: x.yaml")
    parser.add_argument("--plot", metavar="FILE", help="draw a quantile-quantile plot of each phase: x.png")
    _quiet(parser)


def _designs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="*", metavar="NAME", help="one of them (default: all); two: what differs")
    parser.add_argument("--statecharts", action="store_true", help="draw each program's procedures from their tables")
    parser.add_argument("--program", metavar="NAME", help="draw this program alone")
    parser.add_argument("--as", dest="format", metavar="FORMAT", help="png, svg, mermaid or dot (default: png)")
    parser.add_argument("--reached", metavar="FILE", help=f"mark the ops that a run reached: {FILE}")
    parser.add_argument("-o", "--output", metavar="DIR", help="folder for the files (default: statecharts)")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def _init(parser: CommandParser) -> None:
    from sim.cli.init_options import fill

    fill(parser)


def _validate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="*", help="scenarios; - is standard input")
    parser.add_argument("--schema", action="store_true", help="print the JSON schema for editors")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def _settings(parser: argparse.ArgumentParser, *, seed: bool = True) -> None:
    if seed:
        parser.add_argument("--seed", type=SEED, default=1, metavar="N", help="seed of the draws (default: 1)")
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="PATH=VALUE", help="change it")
    parser.add_argument("--profile", dest="settings", action="append", type="engine.profile={}".format, metavar="P",
                        help="durations: a profile's name, or a file x.yaml of shimulator calibrate")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="one JSON object with schema_version")


def _quiet(parser: argparse.ArgumentParser) -> None:
    if "--json" not in parser._option_string_actions:
        parser.add_argument("--json", action="store_true", help="one JSON object with schema_version")
    parser.add_argument("-q", "--quiet", action="store_true", help="say only what fails")


COMMANDS = (
    ("init", "write a commented scenario to begin with", _init),
    ("validate", "check scenario files and say everything that is wrong", _validate),
    ("run", "run a scenario, tell what happens, check its expectations", _run),
    ("show", "print ps, pstree, docker ps, … at any moment; write the tree or the run for other tools", _show),
    ("plot", "draw the timeline, or the process tree", _plot),
    ("report", "write one page with a slider through the run: timeline, tree, texts, causes", _report),
    ("why", "print the chain of causes of a fact", _why),
    ("diff", "say what differs between two moments, runs or tables of ps; status 1 if something does", _diff),
    ("whatif", "compare a changed setting with the file, run by run", _whatif),
    ("blast", "try everything that may befall a host, one row an act, the worst first", _blast),
    ("check", "say whether a host loses too much to an act; for CI", _check),
    ("explore", "take every order of events", _explore),
    ("calibrate", "fit a profile of durations to what was measured", _calibrate),
    ("designs", "list the engines that are modelled", _designs),
)


def parser(command: str | None = None) -> CommandParser:
    """Return the parser; only *command*'s own options are built, where one is given."""
    top = CommandParser(
        prog="shimulator",
        description="What happens to my containers if …? A simulation of a container engine's processes.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"shimulator {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", parser_class=CommandParser)
    for name, text, fill in COMMANDS:
        sub = top.commands[name] = commands.add_parser(name, help=text, description=text)
        if command in (None, name):
            fill(sub)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status; no trouble of input, model or machine shows a traceback."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        options = options_of(words)
        return int(import_module(f"sim.cli.{options.command}").main(options))
    except BaseException as trouble:
        from sim.cli.trouble import explain

        return explain(trouble, words)


def options_of(words: list[str]) -> argparse.Namespace:
    """Read the command line; what is left over is the complaint of the command that was named."""
    named = words[0] if words and words[0] in {name for name, *_ in COMMANDS} else None
    top = parser(named)
    options, rest = top.parse_known_args(words)
    late = top.commands[named].late if named else ""
    if late and not any(word.startswith("-") for word in rest):
        setattr(options, late, [*getattr(options, late), *rest])
        rest = []
    if rest:
        (top.commands[named] if named else top).error(f"unrecognized arguments: {' '.join(rest)}")
    if options.command is None:
        top.print_help(sys.stderr)
        raise SystemExit(WRONG)
    return options
