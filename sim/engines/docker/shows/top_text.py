"""Print a container's processes as `docker top` would: the columns of `ps -ef` through a tabwriter.

Models: the daemon splits ps's rows at blanks and joins what is left over into the last column. Leaves out ps options.
Source: docker 1.13.1, daemon/top_unix.go, cli/command/container/top.go.
"""

from sim.render.go_tables import tabulate
from sim.render.ps import ps_ef
from sim.views.table import Table


def docker_top(found: Table | str) -> str:
    """Print the rows of a table, or the daemon's error.

    >>> docker_top("No such container: web")
    'Error response from daemon: No such container: web\\n'
    """
    if isinstance(found, str):
        return f"Error response from daemon: {found}\n"
    titles, *rows = (line.split() for line in ps_ef(found).splitlines())
    last = len(titles) - 1
    return tabulate([titles, *([*row[:last], " ".join(row[last:])] for row in rows)])
