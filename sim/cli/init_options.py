"""The options of shimulator init. Source: the project's own."""

from __future__ import annotations

import argparse

from sim.cli.parser import CommandParser

INITS = """\
examples:
  shimulator init my.yaml                              a starter
  shimulator init my.yaml docker-compose.yml           the services of a Compose file (several: -f A -f B)
  shimulator init my.yaml inspect.json ps.txt          a host: what docker inspect and ps -axjf printed
  shimulator init my.yaml collected/                   a folder of outputs, or a tar of them
  docker inspect $(docker ps -aq) | shimulator init my.yaml -
  shimulator init --collector > collect.sh             run it on the host: sh collect.sh > host.txt
  shimulator init my.yaml --live                       this host
"""


def fill(parser: CommandParser) -> None:
    """Add what `shimulator init` takes."""
    parser.epilog, parser.formatter_class = INITS, argparse.RawDescriptionHelpFormatter
    parser.add_argument("file", nargs="*", metavar="[OUT] INPUT",
                        help="the scenario to write (x.yaml, default: host.yaml; - is standard output), then what a "
                        "host prints or Compose reads: files, folders, a tar, - for standard input")  # fmt: skip
    parser.late = "inputs"
    parser.add_argument("--from", dest="inputs", metavar="INPUT", action="append", default=[], help="another input")
    parser.add_argument("-f", "--compose", metavar="FILE", action="append", default=[],
                        help="take the services of a Compose file; several are laid over one another")  # fmt: skip
    parser.add_argument("--env-file", metavar="FILE", action="append", default=[],
                        help="values of the Compose files' variables (default: .env beside the first)")  # fmt: skip
    parser.add_argument("--profile", metavar="NAME", action="append", default=[],
                        help="start the services of a Compose profile too; * is all")  # fmt: skip
    parser.add_argument("--project-name", metavar="NAME", default="", help="the Compose project's name")
    parser.add_argument("--images", metavar="PLACE", action="append", default=[],
                        help="a file or folder of the library of images; library is the project's own (default), "
                        "none is none: docs/images.md")  # fmt: skip
    parser.add_argument("--link", action="store_true",
                        help="name the Compose files instead of copying them: it follows their changes")  # fmt: skip
    parser.add_argument("--live", action="store_true", help="read this host: /proc, docker, systemctl")
    parser.add_argument("--collector", action="store_true", help="print a script that gathers a host in one file")
    parser.add_argument("--keep-values", action="store_true",
                        help="leave credentials in, and values of a Compose file's environment and labels")  # fmt: skip
    parser.add_argument("--design", metavar="NAME", default="",
                        help="the engine (default: as the input says, else the newest)")  # fmt: skip
    parser.add_argument("--force", action="store_true", help="replace a file that exists")
