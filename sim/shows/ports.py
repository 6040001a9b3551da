"""What a connect of each class of clients finds at each published port. Source: `sim.engines.host.reach`."""

from __future__ import annotations

from sim.views.story import Story
from sim.views.view import Names, RunView


def ports(story: Story, names: Names) -> str:
    """Print a line for each published port, of those containers that are asked for; a column for each class."""
    from sim.engines.host.reach import CLIENTS, finds
    from sim.render.cells import cells

    rows = [("PORT", "OF", *(client.upper() for client in CLIENTS))]
    for name, service in story.world.services.items():
        if name in names or not names:
            for port in service.published:
                found = (finds(story.world, port.host, client, port.proto) for client in CLIENTS)
                rows.append((f"{port.host}/{port.proto}", name, *found))
    widths = [max(map(cells, column)) for column in zip(*rows, strict=True)]
    lines = (
        "   ".join(text + " " * (width - cells(text)) for text, width in zip(row, widths, strict=True)) for row in rows
    )
    return "".join(f"{line.rstrip()}\n" for line in lines)


VIEWS = (
    RunView(name="ports", show=ports, of="any", on_host=False, group="clients", order=55, about="what a connect finds"),
)
