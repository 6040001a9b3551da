"""The files that a scenario rests on: `extends:`, `compose:` and `images:`.

Models: the scenario laid over what it extends, and both over its Compose files, as second -f files are. `compose:` is a
file, a list of them, or a mapping that also has env files, profiles and the project's name. Leaves out chains longer
than eight files and URLs. Source: Compose specification, "Merge"; Compose file reference, `extends`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path as File

from sim.scenario.check import Report
from sim.scenario.compose.images import OWN, library, sentences, with_images
from sim.scenario.compose.references import with_default_network
from sim.scenario.compose.stack import Asked, mapping, read_stack
from sim.scenario.compose.usable import Usable
from sim.scenario.layers import beside, merge, without
from sim.scenario.noted import Noted
from sim.scenario.text import Mark, Node, read
from sim.scenario.vocabulary import DEFAULT
from sim.scenario.words import did_you_mean, listed

MAX_EXTENDS = 8
FILES = ("files", "env_files")
COMPOSE = (*FILES, "profiles", "project")  # keys of `compose:`


@dataclass
class Loader:
    """Reads the files that a scenario rests on; what is wrong with any of them goes to *report*."""

    report: Report
    chain: list[str] = field(default_factory=list)

    def whole(self, root: Node) -> Node:
        """Return *root* with what it extends and its Compose file laid under it."""
        if not isinstance(root.value, dict):
            return root
        extends = root.child("extends")
        if extends is not None:
            if isinstance(extends.value, str) and extends.value:
                root = self.extended(without(root, "extends"), extends, beside(extends.mark.file, extends.value))
            else:
                self.report.problems.add(extends.mark, "extends: takes the name of a file.")
        compose = root.child("compose")
        if compose is not None:
            asked = self.asked(compose)
            root = self.composed(without(root, "compose"), asked) if asked is not None else root
        images = root.child("images")
        return root if images is None else self.with_images(without(root, "images"), images)

    def with_images(self, root: Node, node: Node) -> Node:
        """Return *root* with what the library of images knows of its services."""
        items = node.value if isinstance(node.value, list) else [node]
        named = []
        for item in items:
            if not isinstance(item.value, str) or not item.value:
                what = "images: takes files and folders of the library of images."
                self.report.problems.add(item.mark, what, f"Write images: {OWN}, or images: [mine.yaml, {OWN}].")
                return root
            named.append(item.value if item.value == OWN else beside(item.mark.file, item.value))
        root, found = with_images(root, library(named, self.report))
        self.report.assumptions += sentences(found)
        return root

    def extended(self, root: Node, node: Node, file: str) -> Node:
        """Lay *root* over the scenario in *file*."""
        if file in self.chain or len(self.chain) >= MAX_EXTENDS:
            self.report.problems.add(node.mark, f"extends: {listed([*self.chain, file])} extend one another.")
            return root
        text = self.read_text(file, node)
        documents = read(text, file, self.report.problems) if text is not None else []
        if not documents:
            return root
        below = Loader(self.report, [*self.chain, file]).whole(documents[0])
        return merge(below, root)

    def asked(self, node: Node) -> Asked | None:
        """Return which Compose files *node* asks for; None after noting why not."""
        said = node if isinstance(node.value, dict) else Node({"files": node}, node.mark)
        found: dict[str, tuple[str, ...]] = {}
        places: dict[str, Mark] = {}
        for key, below in mapping(said).items():
            if key not in COMPOSE:
                hint = did_you_mean(key, COMPOSE) or f"Valid: {listed(COMPOSE)}."
                self.report.problems.add(below.key or below.mark, f"compose.{key}: unknown key.", hint)
                return None
            items = below.value if isinstance(below.value, list) else [below]
            for item in items:
                if not isinstance(item.value, str) or not item.value:
                    name = f"compose.{key}" if said is node else "compose"
                    what = f"{name}: takes the name of a file." if key in FILES else f"{name}: takes a name."
                    self.report.problems.add(item.mark, what)
                    return None
            if key in FILES:
                places |= {beside(it.mark.file, str(it.value)): it.mark for it in items}
                found[key] = tuple(beside(it.mark.file, str(it.value)) for it in items)
            else:
                found[key] = tuple(str(it.value) for it in items)
        if not found.get("files"):
            self.report.problems.add(node.mark, "compose: names no file.", "Write compose: docker-compose.yml.")
            return None
        project = found.get("project", ("",))[0]
        return Asked(found["files"], found.get("env_files", ()), found.get("profiles", ()), project, places=places)

    def composed(self, root: Node, asked: Asked) -> Node:
        """Lay *root* over the services and networks of Compose files, as another -f file would be."""
        stack = read_stack(asked, self.report.problems)
        if stack is None:
            return root
        design = root.find(("engine", "design"))
        services = root.child("services")
        beside = frozenset(services.value) if services and isinstance(services.value, dict) else frozenset[str]()
        usable = Usable(stack, str(design.value) if design else DEFAULT, self.report.problems, beside)
        below = usable.root()
        for it in (*stack.left, *usable.left):
            section = "services" if it.service else "compose"
            self.report.note(section, it.key, it.mark, Noted(it.why, it.changes))
        both = merge(below, root)
        return both if stack.version_1 else with_default_network(both)

    def read_text(self, file: str, node: Node) -> str | None:
        """Return the text of *file*, which *node* names; None after noting why it cannot be read."""
        try:
            return File(file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else "not text in UTF-8"
            self.report.problems.add(
                node.mark, f"{file}: {why.lower()}.", "Files are looked for beside the one that names them."
            )
            return None
