"""The folder in which dockerd's containerd has a container's bundle, as `ls -l` lists it.

Source: the modules here.
"""

from __future__ import annotations

from sim.designs.design import Design
from sim.views.story import Story
from sim.views.view import Names, RunView, now


def ls(story: Story, names: Names) -> str:
    """List one folder, or all of them, each under its name, after complaints about those that are not there."""
    from sim.engines.containerd.shows.bundle import bundle
    from sim.engines.containerd.shows.ls import ls_l, no_such_folder

    offset = story.trace.setup.host.tz_minutes
    folders = [bundle(story, name) for name in names]
    missing = [no_such_folder(folder) for folder, entries in folders if not entries]
    shown = [(folder, ls_l(entries, now(story), offset)) for folder, entries in folders if entries]
    if len(names) > 1:
        return "".join(missing) + "\n".join(f"{folder}:\n{text}" for folder, text in shown)
    return "".join([*missing, *(text for _, text in shown)])


def lacks(design: Design) -> str:
    """Return that there is no containerd."""
    return "" if "containerd" in design.programs else "the folder is containerd's"


VIEWS = (RunView(name="ls-bundle", show=ls, lacks=lacks, of="any", group="host", order=50),)
